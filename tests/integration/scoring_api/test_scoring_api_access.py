"""Tokens, scopes and rates on a real channel."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.contracts.errors import SettingsInvalid
from services.pb.scoring.v1.adapter_service_pb2 import ListAdaptersRequest
from services.pb.scoring.v1.adapter_service_pb2_grpc import AdapterServiceStub
from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest
from services.pb.scoring.v1.scoring_service_pb2 import Candidate, RankCandidatesRequest, StreamScoresRequest
from tests.doubles.api import (
    JOB,
    Api,
    Metadata,
    detail_of,
    failure_of,
    running_api,
    score_request,
    token_of,
    write_tokens,
)
from tests.doubles.scorer import FakeScorer
from tests.doubles.waiting import until_status

LABEL = SubmitLabelRequest(label=ScoreLabelled(application_id="a-1", rater="r-1", score=70))
CALLERS = {"ats": ("score",), "people": ("feedback",), "operator": ("admin",), "all": ("score", "feedback")}


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return write_tokens(tmp_path / "tokens.toml", CALLERS)


def calls_of(api: Api, metadata: Metadata) -> dict[str, Any]:
    """Returns one unstarted call of each scope."""
    adapters = AdapterServiceStub(api.channel)  # type: ignore[no-untyped-call]
    return {
        "score": lambda: api.scoring.Score(score_request(1), metadata=metadata),
        "feedback": lambda: api.feedback.SubmitLabel(LABEL, metadata=metadata),
        "admin": lambda: adapters.ListAdapters(ListAdaptersRequest(), metadata=metadata),
    }


async def test_each_token_opens_its_scopes_and_no_other(tokens: Path, tmp_path: Path) -> None:
    settings = {"grpc_tokens_file": str(tokens), "adapter_store": str(tmp_path / "store")}
    async with running_api(FakeScorer(), **settings) as api:
        for name, scopes in CALLERS.items():
            for scope, call in calls_of(api, token_of(name)).items():
                if scope in scopes:
                    await call()
                else:
                    failure = await failure_of(call())
                    assert failure.code() is grpc.StatusCode.PERMISSION_DENIED
                    assert detail_of(failure, ErrorInfo).reason == "PERMISSION_DENIED"
        assert api.registry.get_sample_value(
            "scoring_refused_calls_total", {"reason": "permission_denied"}
        ) == 3 * len(CALLERS) - sum(map(len, CALLERS.values()))


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", "Bearer "),),
        (("authorization", "Bearer token of nobody"),),
        (("authorization", "token of ats"),),
        (("authorization", "Bearer token of ats "),),
        (("authorization", "Bearer token of at"),),
    ],
)
async def test_no_call_of_any_kind_gets_in_without_a_known_token(tokens: Path, metadata: Metadata) -> None:
    scorer = FakeScorer()
    async with running_api(scorer, grpc_tokens_file=str(tokens)) as api:
        for call in calls_of(api, metadata).values():
            assert (await failure_of(call())).code() is grpc.StatusCode.UNAUTHENTICATED
        stream = api.scoring.StreamScores(metadata=metadata)
        assert (await failure_of(stream.read())).code() is grpc.StatusCode.UNAUTHENTICATED
        reflecting = reflection_pb2_grpc.ServerReflectionStub(api.channel).ServerReflectionInfo(
            metadata=metadata
        )
        assert (await failure_of(reflecting.read())).code() is grpc.StatusCode.UNAUTHENTICATED
    assert scorer.scored == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_of_a_token_may_be_written_in_any_case(tokens: Path, scheme: str) -> None:
    async with running_api(FakeScorer(), grpc_tokens_file=str(tokens)) as api:
        await api.scoring.Score(score_request(1), metadata=(("authorization", f"{scheme} token of ats"),))


@pytest.mark.parametrize(
    "method", ["/scoring.v1.ScoringServise/Score", "/scoring.v1.ScoringService/Scor", "/x.Y/Z", "/"]
)
async def test_what_is_not_served_is_unimplemented_without_a_token_too(tokens: Path, method: str) -> None:
    async with running_api(FakeScorer(), grpc_tokens_file=str(tokens)) as api:
        failure = await failure_of(api.channel.unary_unary(method)(b""))

        assert failure.code() is grpc.StatusCode.UNIMPLEMENTED
        assert refused(api, "unauthenticated") == 0


async def test_health_needs_no_token_and_reflection_any(tokens: Path) -> None:
    async with running_api(FakeScorer(), grpc_tokens_file=str(tokens)) as api:
        health = await health_pb2_grpc.HealthStub(api.channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        assert "scoring.v1.ScoringService" in await reflected_services(api, token_of("people"))


async def test_health_and_reflection_can_be_switched_off() -> None:
    async with running_api(FakeScorer(), grpc_health=False, grpc_reflection=False) as api:
        check = health_pb2_grpc.HealthStub(api.channel).Check(health_pb2.HealthCheckRequest())
        assert (await failure_of(check)).code() is grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await reflected_services(api, ())
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def refused(api: Api, reason: str) -> float | None:
    return api.registry.get_sample_value("scoring_refused_calls_total", {"reason": reason})


async def reflected_services(api: Api, metadata: Metadata) -> set[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(api.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = [answer async for answer in stub.ServerReflectionInfo(iter([request]), metadata=metadata)]
    return {service.name for service in answers[0].list_services_response.service}


async def test_a_changed_tokens_file_counts_at_once_and_a_broken_one_not_at_all(tokens: Path) -> None:
    async with running_api(FakeScorer(), grpc_tokens_file=str(tokens)) as api:
        write_tokens(tokens, {"next": ("score",)})
        await api.scoring.Score(score_request(1), metadata=token_of("next"))
        failure = await failure_of(api.scoring.Score(score_request(1), metadata=token_of("ats")))
        assert failure.code() is grpc.StatusCode.UNAUTHENTICATED

        tokens.write_text("[callers.next\n")
        await api.scoring.Score(score_request(2), metadata=token_of("next"))


async def test_a_tokens_file_that_is_gone_ends_its_tokens_and_the_service_is_not_ready(
    tokens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.scoring_api.calls.health_service.FOLLOW_SECONDS", 0.05)
    settings = {"grpc_tokens_file": str(tokens), "grpc_tokens_grace_seconds": 0}
    async with running_api(FakeScorer(), **settings) as api:
        tokens.unlink()

        failure = await failure_of(api.scoring.Score(score_request(1), metadata=token_of("ats")))
        told = await until_status(api.addresses.http_port, "/readyz", 503, 3)

        assert failure.code() is grpc.StatusCode.UNAVAILABLE
        assert detail_of(failure, ErrorInfo).reason == "TOKENS_UNAVAILABLE"
        assert told["checks"]["tokens"] == "failing"
        assert api.registry.get_sample_value("scoring_tokens_file_failing") == 1

        write_tokens(tokens, CALLERS)
        await api.scoring.Score(score_request(1), metadata=token_of("ats"))
        await until_status(api.addresses.http_port, "/readyz", 200, 3)


@pytest.mark.parametrize(
    "content",
    [
        "[callers.a",
        '[callers.a]\ntoken_sha256 = "tr0ub4dor"\nscopes = ["score"]',
        f'[callers.a]\ntoken_sha256 = "{"0" * 64}"\nscopes = ["everything"]',
        f'[callers.a]\ntoken_sha256 = "{"0" * 64}"\nscopes = []',
        f'[callers.a]\ntoken_sha256 = "{"0" * 64}"\nscopes = ["score"]\ntoken = "tr0ub4dor"',
        f'[callers.a]\ntoken_sha256 = "{"0" * 64}"\nscopes = ["score"]\n' * 1
        + f'[callers.b]\ntoken_sha256 = "{"0" * 64}"\nscopes = ["admin"]',
        None,
    ],
)
async def test_an_unusable_tokens_file_stops_the_start(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "tokens.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsInvalid, match="SCORER_GRPC_TOKENS_FILE") as refused:
        async with running_api(FakeScorer(), grpc_tokens_file=str(path)):
            pass
    assert "tr0ub4dor" not in str(refused.value)


async def test_a_caller_over_its_rate_waits_while_others_go_on(tokens: Path) -> None:
    rate = {"grpc_tokens_file": str(tokens), "grpc_rate_per_second": 0.01, "grpc_rate_burst": 3}
    async with running_api(FakeScorer(), **rate) as api:
        for number in range(3):
            await api.scoring.Score(score_request(number), metadata=token_of("ats"))

        failure = await failure_of(api.scoring.Score(score_request(4), metadata=token_of("ats")))

        assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert detail_of(failure, ErrorInfo).reason == "RATE_EXCEEDED"
        assert 0 < detail_of(failure, RetryInfo).retry_delay.ToMilliseconds() <= 100_000
        await api.scoring.Score(score_request(5), metadata=token_of("all"))
        assert api.registry.get_sample_value("scoring_refused_calls_total", {"reason": "rate_exceeded"}) == 1


async def test_a_ranking_costs_as_many_as_it_holds() -> None:
    async with running_api(FakeScorer(), grpc_rate_per_second=0.01, grpc_rate_burst=3) as api:
        candidates = [Candidate(application_id=f"a-{number}", resume="Ten years.") for number in range(5)]
        await api.scoring.RankCandidates(RankCandidatesRequest(job=JOB, candidates=candidates))

        failure = await failure_of(api.scoring.Score(score_request(1)))

        assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        # Five of three were taken: two and one more must flow in again, at one in 100 seconds.
        assert detail_of(failure, RetryInfo).retry_delay.ToMilliseconds() > 200_000


async def test_a_stream_over_the_rate_goes_on_and_names_the_pairs_without_a_score() -> None:
    async with running_api(FakeScorer(), grpc_rate_per_second=0.01, grpc_rate_burst=3) as api:
        requests = [StreamScoresRequest(request=score_request(number)) for number in range(4)]
        answers = [answer async for answer in api.scoring.StreamScores(iter(requests))]

    # The call itself cost one.
    assert sum(answer.HasField("result") for answer in answers) == 2
    assert {answer.error.code for answer in answers if answer.HasField("error")} == {"RESOURCE_EXHAUSTED"}
