import time

import pytest

from services.contracts.errors import EngineClosed, EngineOverloaded
from services.contracts.reading import PLAIN_RULES
from services.contracts.scoring import PairRequest
from services.scoring.engine.pair_queue import PairQueue, WaitingPair
from services.scoring.reading.pair_reader import ReadPair
from services.scoring.reading.prompt import Prompt


def queue_of(num_admitted: int, seconds_per_pair: float) -> PairQueue:
    queue = PairQueue(max_pairs=100, on_changed=lambda _: None)
    for _ in range(num_admitted):
        queue.admit()
    queue.seconds_per_pair = seconds_per_pair
    return queue


def test_a_pair_that_cannot_be_reached_before_its_deadline_is_refused_at_once() -> None:
    queue = queue_of(20, seconds_per_pair=1.0)

    with pytest.raises(EngineOverloaded) as caught:
        queue.admit(time.monotonic() + 5)

    assert 24.5 < caught.value.retry_after_seconds < 25.5
    assert queue.num_admitted == 20


def test_a_pair_that_can_wait_is_admitted() -> None:
    queue = queue_of(20, seconds_per_pair=1.0)

    queue.admit(time.monotonic() + 31)
    queue.admit(None)

    assert queue.num_admitted == 22


@pytest.mark.parametrize(("num_admitted", "seconds_per_pair"), [(0, 100.0), (50, 0.0)])
def test_an_empty_queue_and_an_unknown_speed_refuse_nobody(
    num_admitted: int, seconds_per_pair: float
) -> None:
    queue = queue_of(num_admitted, seconds_per_pair)

    queue.admit(time.monotonic() + 0.5)

    assert queue.num_admitted == num_admitted + 1


def test_a_pair_that_comes_after_the_end_is_answered_too() -> None:
    queue = queue_of(1, seconds_per_pair=0.0)
    read = ReadPair(Prompt((1,), (2,), 0, b"1"))
    pair = WaitingPair(PairRequest("late", "A job.", "A resume."), read, PLAIN_RULES, 0.0, 0.0)

    queue.fail_all(EngineClosed("the model thread died"))
    queue.put(pair)

    with pytest.raises(EngineClosed):
        pair.outcome.result(timeout=0)
    assert queue.num_admitted == 0
