from hypothesis import given
from hypothesis import strategies as st

from services.events.wire.event_codec import SourceRecord
from services.scoring_worker.waiting_room import WaitingRoom


def record(offset: int, size: int = 1, source: str = "") -> SourceRecord:
    headers = (("ce_source", source.encode()),) if source else ()
    return SourceRecord("applications", 0, offset, b"k", b"v" * size, headers)


def test_a_posted_job_releases_its_own_applications_in_order() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=10)
    for offset, job in enumerate(["a", "b", "a"]):
        room.enter(record(offset), job, now=0)

    released = room.release("a")

    assert [each.offset for each in released] == [0, 2]
    assert len(room) == 1
    assert room.release("a") == []


def test_applications_leave_when_their_time_is_over() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=10)
    room.enter(record(0), "a", now=0)
    room.enter(record(1), "a", now=5)

    assert [each.offset for each in room.expire(now=10)] == [0]
    assert [each.offset for each in room.expire(now=14.9)] == []
    assert [each.offset for each in room.release("a")] == [1]


def test_a_flood_for_one_job_displaces_itself_and_not_those_who_wait_longest() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=300)
    for offset in range(5):
        room.enter(record(offset), "honest", now=0)

    evicted = [each for offset in range(5, 1000) for each in room.enter(record(offset), "flood", now=0)]

    assert len(evicted) == 700
    assert [each.offset for each in room.release("honest")] == [0, 1, 2, 3, 4]


def test_a_flood_for_many_jobs_displaces_itself_where_its_sender_is_known() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=300)
    for offset in range(1000):
        room.enter(record(offset, source="/flood"), f"flood-{offset}", now=0)

    for offset in range(1000, 1150):
        assert [each.headers for each in room.enter(record(offset, source="/ats"), "honest", now=0)] == [
            (("ce_source", b"/flood"),)
        ]

    assert len(room.release("honest")) == 150


def test_a_flood_for_many_jobs_of_an_unknown_sender_leaves_those_who_wait_where_they_are() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=300)
    for offset in range(5):
        room.enter(record(offset), "honest", now=0)
    for offset in range(5, 1000):
        room.enter(record(offset), f"flood-{offset}", now=0)

    assert len(room.release("honest")) == 5


def test_who_takes_up_most_bytes_leaves_where_bytes_are_scarce() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=100, max_bytes=1_000_000)
    for offset in range(20):
        room.enter(record(offset, size=1000, source="/small"), "a", now=0)
    large = [record(offset, size=250_000, source="/large") for offset in range(20, 25)]

    evicted = [each.offset for entering in large for each in room.enter(entering, "b", now=0)]

    assert evicted == [23, 24]
    assert len(room.release("a")) == 20


def test_one_record_larger_than_the_room_is_turned_away_itself() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=100, max_bytes=100)
    assert [each.offset for each in room.enter(record(0, size=101), "a", now=0)] == [0]
    assert len(room) == 0


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)), max_size=60))
def test_whatever_happens_the_room_keeps_its_limits_and_loses_nobody(
    steps: list[tuple[int, int, int]],
) -> None:
    room = WaitingRoom(wait_seconds=5, max_waiting=6, max_bytes=20_000)
    inside: set[int] = set()
    for now, (what, sender, job) in enumerate(steps):
        if what == 2:
            left = room.release(f"job-{job}") + room.expire(now)
        else:
            inside.add(now)
            left = room.enter(record(now, size=3000 * job, source=f"/{sender}"), f"job-{job}", now)
        for each in left:
            inside.remove(each.offset)
        assert len(room) == len(inside) <= 6
    assert {each.offset for each in room.expire(1_000)} == inside


def test_applications_of_a_lost_partition_are_forgotten() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=10)
    room.enter(record(0), "a", now=0)

    room.discard(lambda each: each.partition == 0)

    assert len(room) == 0
    assert (0, 0) not in room
    assert room.expire(now=100) == []
