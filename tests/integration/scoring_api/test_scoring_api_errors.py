"""Every way in which a call can fail, with the details that a client can act on."""

import asyncio
import logging
import time

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.contracts.errors import (
    DeadlineExpired,
    EngineClosed,
    EngineOverloaded,
    FieldViolation,
    InvalidInput,
    ScorerError,
    ScoringFailed,
)
from services.pb.scoring.v1.events_pb2 import InlineJob, ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest
from services.pb.scoring.v1.scoring_service_pb2 import (
    Candidate,
    ExplainRequest,
    RankCandidatesRequest,
    ScoreRequest,
    StreamScoresRequest,
)
from tests.doubles.api import JOB, Api, detail_of, failure_of, running_api, score_request
from tests.doubles.scorer import FakeScorer, GatedScorer
from tests.doubles.waiting import until

PRIVATE = "Maria Example, Teststreet 5"


async def test_a_broken_limit_is_invalid_and_names_its_field(api: Api) -> None:
    failure = await failure_of(api.scoring.Score(ScoreRequest(application_id="a b", job=InlineJob())))

    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    violations = detail_of(failure, BadRequest).field_violations
    assert {each.field: each.description for each in violations} == {
        "application_id": "holds white space or characters that cannot be printed",
        "job.description": "is required",
        "resume": "is required",
    }
    assert detail_of(failure, ErrorInfo).reason == "FIELD_LIMITS"
    assert detail_of(failure, ErrorInfo).domain == "resume-scorer"
    assert api.num_requests("score", "invalid_input") == 1


@pytest.mark.parametrize(
    ("error", "code", "reason", "outcome"),
    [
        (EngineClosed("x"), grpc.StatusCode.UNAVAILABLE, "ENGINE_CLOSED", "closed"),
        (DeadlineExpired("x"), grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXPIRED", "deadline_expired"),
        (ScoringFailed(PRIVATE), grpc.StatusCode.INTERNAL, "SCORING_FAILED", "scoring_failed"),
        (EngineOverloaded(2.5), grpc.StatusCode.RESOURCE_EXHAUSTED, "ENGINE_OVERLOADED", "overloaded"),
        (ValueError(PRIVATE), grpc.StatusCode.INTERNAL, "INTERNAL_ERROR", "internal_error"),
        (ScorerError(PRIVATE), grpc.StatusCode.INTERNAL, "INTERNAL_ERROR", "internal_error"),
    ],
)
async def test_each_error_has_its_code_reason_and_count(
    api: Api, scorer: FakeScorer, error: Exception, code: grpc.StatusCode, reason: str, outcome: str
) -> None:
    scorer.failures["nursing"] = error

    failure = await failure_of(api.scoring.Score(score_request(1)))

    assert failure.code() is code
    assert detail_of(failure, ErrorInfo).reason == reason
    assert PRIVATE not in str(failure)
    assert api.num_requests("score", outcome) == 1


async def test_overload_says_when_to_try_again(api: Api, scorer: FakeScorer) -> None:
    scorer.failures["nursing"] = EngineOverloaded(2.5)

    failure = await failure_of(api.scoring.Score(score_request(1)))

    assert detail_of(failure, RetryInfo).retry_delay.ToMilliseconds() == 2500


async def test_what_only_the_engine_can_tell_is_invalid_too(api: Api, scorer: FakeScorer) -> None:
    violation = FieldViolation("job.description", "takes 2100 tokens with its instruction; the limit is 2000")
    scorer.failures["nursing"] = InvalidInput("job_too_long", [violation])

    failure = await failure_of(api.scoring.Score(score_request(1)))

    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert detail_of(failure, ErrorInfo).reason == "JOB_TOO_LONG"
    assert detail_of(failure, BadRequest).field_violations[0].field == "job.description"


async def test_the_paths_of_an_explanation_start_at_its_own_request(api: Api, scorer: FakeScorer) -> None:
    scorer.failures["nursing"] = InvalidInput("empty_text", [FieldViolation("resume", "is empty")])

    failure = await failure_of(api.scoring.Explain(ExplainRequest(request=score_request(1))).read())

    assert detail_of(failure, BadRequest).field_violations[0].field == "request.resume"


async def test_many_violations_still_fit_into_the_trailers(api: Api) -> None:
    request = RankCandidatesRequest(job=JOB, candidates=[Candidate(application_id=" " * 300)] * 256)

    failure = await failure_of(api.scoring.RankCandidates(request))

    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert len(detail_of(failure, BadRequest).field_violations) == 16
    assert "candidates[0].application_id" in (failure.details() or "")


@pytest.mark.parametrize("method", ["Score", "RankCandidates", "StreamScores", "Explain"])
@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x02\xff\xff", b'{"resume": "Ten years"}'])
async def test_a_body_that_is_no_message_is_invalid_and_counted_and_not_logged(
    api: Api, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, method: str, body: bytes
) -> None:
    capfd.readouterr()
    call = api.channel.stream_stream(f"/scoring.v1.ScoringService/{method}")(iter([body]))

    failure = await failure_of(call.read())

    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert detail_of(failure, ErrorInfo).reason == "MESSAGE_UNREADABLE"
    counted = {"reason": "message_unreadable"}
    assert api.registry.get_sample_value("scoring_refused_calls_total", counted) == 1
    assert caplog.text + "".join(capfd.readouterr()) == ""


async def test_a_ranking_with_one_id_twice_names_both_candidates(api: Api) -> None:
    ids = ("a", "b", "c", "b")
    candidates = [Candidate(application_id=each, resume="Ten years.") for each in ids]

    failure = await failure_of(
        api.scoring.RankCandidates(RankCandidatesRequest(job=JOB, candidates=candidates))
    )

    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    violations = detail_of(failure, BadRequest).field_violations
    assert [(each.field, each.description) for each in violations] == [
        ("candidates[3].application_id", "is also that of candidates[1]")
    ]


async def test_a_message_over_the_size_limit_is_refused() -> None:
    async with running_api(FakeScorer(), grpc_max_message_bytes=10_000) as api:
        failure = await failure_of(api.scoring.Score(score_request(1, "x" * 10_001)))

        assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_the_deadline_of_the_client_reaches_the_scorer() -> None:
    scorer = GatedScorer()
    scorer.gate.set()
    async with running_api(scorer) as api:
        await api.scoring.Score(score_request(1), timeout=7)

    assert scorer.deadlines[0] is not None
    assert scorer.deadlines[0] - time.monotonic() == pytest.approx(7, abs=0.5)


async def test_a_call_without_a_deadline_gets_the_default() -> None:
    scorer = GatedScorer()
    async with running_api(scorer, grpc_default_deadline_seconds=0.1) as api:
        failure = await failure_of(api.scoring.Score(score_request(1)))

        assert failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert detail_of(failure, ErrorInfo).reason == "DEADLINE_EXPIRED"
        assert api.num_requests("score", "deadline_expired") == 1


async def test_at_the_deadline_the_pair_is_withdrawn() -> None:
    scorer = GatedScorer()
    async with running_api(scorer) as api:
        failure = await failure_of(api.scoring.Score(score_request(1), timeout=0.1))

        await until(lambda: scorer.withdrawn == ["application-1"])
        await until(lambda: api.num_requests("score", "deadline_expired") == 1)
    assert failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_cancelled_call_withdraws_its_pair() -> None:
    scorer = GatedScorer()
    async with running_api(scorer) as api:
        call = api.scoring.Score(score_request(1))
        await scorer.until_entered(1)

        call.cancel()

        await until(lambda: scorer.withdrawn == ["application-1"])
        await until(lambda: api.num_requests("score", "cancelled") == 1)


async def test_a_cancelled_stream_withdraws_its_pairs() -> None:
    scorer = GatedScorer()
    async with running_api(scorer) as api:
        call = api.scoring.StreamScores()
        for number in range(5):
            await call.write(StreamScoresRequest(request=score_request(number)))
        await scorer.until_entered(5)

        call.cancel()

        await until(lambda: len(scorer.withdrawn) == 5)


async def test_calls_over_the_limit_are_refused_while_health_still_answers() -> None:
    scorer = GatedScorer()
    async with running_api(scorer, grpc_max_concurrent_calls=3) as api:
        calls = [api.scoring.Score(score_request(number)) for number in range(3)]
        await scorer.until_entered(3)

        failure = await failure_of(api.scoring.Score(score_request(4)))
        health = await health_pb2_grpc.HealthStub(api.channel).Check(health_pb2.HealthCheckRequest())

        assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert detail_of(failure, RetryInfo).retry_delay.ToMilliseconds() > 0
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        scorer.gate.set()
        await asyncio.gather(*calls)
        await api.scoring.Score(score_request(5))


async def test_a_label_that_judges_nothing_is_refused(api: Api) -> None:
    label = ScoreLabelled(application_id="a-1", rater="rater-9")

    failure = await failure_of(api.feedback.SubmitLabel(SubmitLabelRequest(label=label)))

    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert detail_of(failure, BadRequest).field_violations[0].field == "label.score"
    assert api.publisher.labels == []


async def test_a_label_is_unavailable_while_kafka_is(api: Api) -> None:
    api.publisher.is_down = True
    label = ScoreLabelled(application_id="a-1", rater="rater-9", score=5)

    failure = await failure_of(api.feedback.SubmitLabel(SubmitLabelRequest(label=label)))

    assert failure.code() is grpc.StatusCode.UNAVAILABLE
    assert detail_of(failure, ErrorInfo).reason == "KAFKA_UNAVAILABLE"


async def test_faults_are_logged_without_any_text_of_the_pair(
    api: Api, scorer: FakeScorer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    scorer.failures["nursing"] = ValueError(PRIVATE)

    await failure_of(api.scoring.Score(score_request(1)))

    out, err = capfd.readouterr()
    told = caplog.text + out + err
    assert "ValueError" in told
    assert PRIVATE not in told
    assert "nursing" not in told
