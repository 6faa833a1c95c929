import pytest

from services.scoring_api.access.rate_limits import MAX_BUCKETS, RateLimits
from services.scoring_api.answers.call_errors import RateExceeded
from tests.doubles.clock import Clock


def test_a_bucket_fills_again_at_its_rate_and_never_over_its_rim() -> None:
    clock = Clock(100.0)
    limits = RateLimits(per_second=2, burst=4, clock=clock)
    limits.take("a", 4)
    with pytest.raises(RateExceeded) as refused:
        limits.take("a")
    assert refused.value.retry_after_seconds == pytest.approx(0.5)

    clock.now += 0.5
    limits.take("a")
    clock.now += 1000
    limits.take("a", 4)
    with pytest.raises(RateExceeded):
        limits.take("a")


def test_refused_calls_cost_nothing() -> None:
    clock = Clock(100.0)
    limits = RateLimits(per_second=1, burst=1, clock=clock)
    limits.take("a")
    for _ in range(10):
        with pytest.raises(RateExceeded):
            limits.take("a")
    clock.now += 1
    limits.take("a")


def test_one_caller_does_not_pay_for_another() -> None:
    limits = RateLimits(per_second=1, burst=1, clock=Clock(100.0))
    limits.take("a")
    limits.take("b")


def test_no_rate_is_no_limit() -> None:
    limits = RateLimits(per_second=0, burst=1, clock=Clock(100.0))
    for _ in range(1000):
        limits.take("a", 1000)


def test_memory_is_bounded_however_many_callers_there_are() -> None:
    limits = RateLimits(per_second=1, burst=1, clock=Clock(100.0))
    limits.take("first")
    for number in range(MAX_BUCKETS):
        limits.take(f"caller {number}")
    assert len(limits._buckets) == MAX_BUCKETS
    limits.take("first")  # forgotten, and so filled
