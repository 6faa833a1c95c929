import pytest

from services.scoring.engine.throughput import ThroughputMeter


def meter_after(seconds: list[float], *, is_backlog: bool, gap: float = 0.0) -> ThroughputMeter:
    """Returns a meter after batches of two pairs and 100 tokens that took so long, with gaps between them."""
    meter, now = ThroughputMeter(), 1000.0
    for each in seconds:
        meter.note_batch(2, 100, each, 999.0 if is_backlog else now + gap, now + gap, now + gap + each)
        now += gap + each
    return meter


def test_two_batches_tell_nothing() -> None:
    assert meter_after([1.0, 1.0], is_backlog=False).seconds_per_pair == 0


def test_one_slow_batch_does_not_count() -> None:
    assert meter_after([1.0, 1.0, 30.0, 1.0], is_backlog=False).seconds_per_pair == pytest.approx(0.5)


@pytest.mark.parametrize(("is_backlog", "seconds"), [(True, 1.0), (False, 0.5)])
def test_what_lies_between_batches_counts_while_pairs_wait(is_backlog: bool, seconds: float) -> None:
    meter = meter_after([1.0] * 9, is_backlog=is_backlog, gap=1.0)

    assert meter.seconds_per_pair == pytest.approx(seconds)


def test_the_speed_follows_the_newest_batches() -> None:
    meter = meter_after([1.0] * 50, is_backlog=True)

    assert meter.tokens_per_second == pytest.approx(100, rel=0.01)
