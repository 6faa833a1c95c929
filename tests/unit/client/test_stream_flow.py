"""What a stream sends next, told the time: bounded, each pair until its last answer."""

import pytest

from services.client.call_budget import JITTER
from services.client.requests import Pair
from services.client.stream_flow import MAX_PAUSE_SECONDS, MAX_UNANSWERED, StreamFlow
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.pb.scoring.v1.scoring_service_pb2 import PairError, StreamScoresResponse

NOW = 1000.0


def scored(application: str) -> StreamScoresResponse:
    return StreamScoresResponse(result=ScoreResult(application_id=application, score=50))


def refused(application: str, hint_seconds: float = 1.0) -> StreamScoresResponse:
    error = PairError(application_id=application, code="RESOURCE_EXHAUSTED", message="full")
    error.retry_delay.FromMilliseconds(round(hint_seconds * 1000))
    return StreamScoresResponse(error=error)


def send(flow: StreamFlow, application: str, now: float = NOW) -> bool:
    """Puts a pair; returns whether it is sent at once."""
    flow.put(Pair("job", "resume", application))
    request = flow.take(now)
    return request is not None and request.request.application_id == application


def test_a_stream_is_over_once_its_source_is_and_every_pair_has_its_last_answer() -> None:
    flow = StreamFlow(max_attempts=3)
    assert send(flow, "a")
    flow.end_source()
    assert not flow.is_over

    assert not flow.settle(refused("a"), NOW)
    assert not flow.is_over
    request = flow.take(NOW + 2)
    assert request is not None
    assert flow.settle(scored("a"), NOW + 2)
    assert flow.is_over


def test_a_refused_pair_waits_for_its_pause_and_so_do_new_ones_for_the_hint() -> None:
    flow = StreamFlow(max_attempts=3)
    send(flow, "a")
    flow.settle(refused("a", 2.0), NOW)

    assert not send(flow, "b", NOW + 1.9)
    assert flow.take(NOW + 1.9) is None
    wait = flow.seconds_to_wait(NOW)
    assert wait == pytest.approx(2.0)
    both = [flow.take(NOW + 2 * (1 + JITTER)) for _ in range(2)]
    assert [each.request.application_id for each in both if each] == ["a", "b"]
    assert flow.seconds_to_wait(NOW) is None


def test_pauses_double_up_to_a_bound_and_end_with_the_attempts() -> None:
    flow = StreamFlow(max_attempts=8)
    send(flow, "a")
    pauses, answers = [], []
    for _ in range(8):
        answers.append(flow.settle(refused("a"), NOW))
        pauses.append(flow.seconds_to_wait(NOW))
        flow.take(NOW + 100)

    assert answers == [False] * 7 + [True]
    assert pauses[-1] is None
    for pause, least in zip(pauses, [1, 2, 4, 8, 16, MAX_PAUSE_SECONDS, MAX_PAUSE_SECONDS], strict=False):
        assert pause is not None
        assert least <= pause <= least * (1 + JITTER)


def test_what_would_come_too_late_is_not_sent_again() -> None:
    flow = StreamFlow(max_attempts=9, ends_at=NOW + 5)
    send(flow, "a")

    assert flow.settle(refused("a", 5.0), NOW)


def test_a_refusal_without_a_hint_is_an_answer() -> None:
    flow = StreamFlow(max_attempts=9)
    send(flow, "a")
    error = PairError(application_id="a", code="RESOURCE_EXHAUSTED", message="full")

    assert flow.settle(StreamScoresResponse(error=error), NOW)


def test_no_more_than_the_bound_are_open_however_they_wait() -> None:
    flow = StreamFlow(max_attempts=9)
    for number in range(MAX_UNANSWERED):
        assert send(flow, str(number))
    assert not send(flow, "one more")
    assert not flow.has_room
    flow.settle(refused("0"), NOW)
    assert flow.take(NOW) is None

    flow.settle(scored("1"), NOW)
    sent = flow.take(NOW + 1)
    assert sent is not None
    assert sent.request.application_id == "one more"
    assert flow.has_room


def test_a_second_pair_of_an_id_waits_for_the_answer_of_the_first() -> None:
    flow = StreamFlow(max_attempts=9)
    assert send(flow, "a")
    assert not send(flow, "a")

    flow.settle(scored("a"), NOW)
    assert flow.take(NOW) is not None


def test_a_closed_stream_sends_nothing_and_takes_nothing() -> None:
    flow = StreamFlow(max_attempts=9)
    send(flow, "a")
    flow.close()

    assert flow.is_over
    assert not flow.has_room
