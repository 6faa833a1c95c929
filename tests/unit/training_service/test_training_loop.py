import math

from services.training_service.runs.training_loop import seconds_since


def test_a_time_in_the_future_was_noted_by_a_wrong_clock_and_holds_nothing_back() -> None:
    assert seconds_since(100.0, 130.0) == 30.0
    assert seconds_since(130.0, 100.0) == math.inf
    assert seconds_since(None, 100.0) == 0.0
