from hypothesis import given
from hypothesis import strategies as st

from services.scoring_worker.intake.offset_tracker import OffsetTracker

OFFSETS = st.lists(st.integers(0, 1000), unique=True, min_size=1, max_size=40).map(sorted)


@given(OFFSETS, st.randoms(use_true_random=False))
def test_whatever_the_order_of_finishing_acknowledgements_are_ordered_and_none_is_early(
    offsets, random
) -> None:
    tracker: OffsetTracker[int] = OffsetTracker()
    for offset in offsets:
        assert tracker.take(0, offset, offset)
    finished: set[int] = set()
    acknowledged: list[int] = []

    for offset in random.sample(offsets, len(offsets)):
        finished.add(offset)
        acknowledged += tracker.finish(0, offset)
        # Everything up to the last acknowledged offset is finished: committing it loses nothing.
        assert set(offsets[: len(acknowledged)]) <= finished

    assert acknowledged == offsets
    assert tracker.num_unacknowledged == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("finish"), st.integers(0, 30)),
            st.tuples(st.just("rebalance"), st.integers(0, 3)),
            st.tuples(st.just("read"), st.integers(1, 5)),
        ),
        max_size=60,
    )
)
def test_rebalances_and_redeliveries_never_let_an_unfinished_record_be_committed(steps) -> None:
    tracker: OffsetTracker[int] = OffsetTracker()
    position = committed = 0
    finished: set[int] = set()

    for step, number in steps:
        if step == "read":
            for offset in range(position, position + number):
                tracker.take(0, offset, offset)
            position += number
        elif step == "rebalance":
            tracker.forget([0])
            position = committed  # the broker delivers from the committed offset again
        elif number < position:
            finished.add(number)
            for offset in tracker.finish(0, number):
                assert offset == committed
                committed = offset + 1
        assert all(offset in finished for offset in range(committed))


def test_a_second_delivery_of_a_record_in_hand_is_not_new_and_its_token_counts() -> None:
    tracker: OffsetTracker[str] = OffsetTracker()
    tracker.take(0, 5, "first")

    is_new = tracker.take(0, 5, "second")

    assert not is_new
    assert tracker.finish(0, 5) == ["second"]


def test_a_finished_record_of_a_forgotten_partition_is_not_acknowledged() -> None:
    tracker: OffsetTracker[str] = OffsetTracker()
    tracker.take(0, 5, "a")
    tracker.take(1, 5, "b")

    tracker.forget([0])

    assert tracker.finish(0, 5) == []
    assert tracker.finish(1, 5) == ["b"]
