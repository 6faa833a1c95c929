"""Both clients against a running API: what they bring, and what becomes of a failure."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.client import (
    ClientOptions,
    DeadlinePassed,
    NotAllowed,
    Pair,
    RequestInvalid,
    ServerFault,
    ServerUnavailable,
)
from services.client import connection as client_connection
from services.contracts.errors import ScoringFailed
from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from tests.doubles.api import JOB, expected_score, running_api, score_request
from tests.doubles.certificates import Authority
from tests.doubles.client import open_client
from tests.doubles.scorer import FakeScorer, GatedScorer

both = pytest.mark.parametrize("kind", ["sync", "asyncio"])


async def pairs_of(num: int) -> AsyncIterator[Pair]:
    for number in range(num):
        yield Pair(JOB, score_request(number).resume, score_request(number).application_id)


@both
async def test_a_score_and_a_ranking_are_those_of_the_api(kind: str) -> None:
    requests = [score_request(number) for number in range(6)]
    async with running_api(FakeScorer()) as api, open_client(kind, api.addresses.grpc) as client:
        result = await client.score(JOB, requests[0].resume, application_id="application-0")
        ranking = await client.rank(JOB, [(each.application_id, each.resume) for each in requests])

    assert (result.application_id, result.score) == ("application-0", expected_score(requests[0]))
    expected = sorted(requests, key=expected_score, reverse=True)
    assert [each.application_id for each in ranking] == [each.application_id for each in expected]


@both
async def test_a_job_may_be_its_description_alone(kind: str) -> None:
    async with running_api(FakeScorer()) as api, open_client(kind, api.addresses.grpc) as client:
        alone = await client.score("Cares for patients.", "Ten years.")
        titled = await client.score(JOB, "Ten years.")

    assert alone.score != titled.score


@both
async def test_a_stream_answers_every_pair_and_names_the_bad_one(kind: str) -> None:
    scorer = FakeScorer()
    scorer.failures = {"number 3": ScoringFailed("no")}
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc) as client:
        answers = [answer async for answer in client.stream(pairs_of(8))]

    scores = {each.result.application_id: each.result.score for each in answers if each.HasField("result")}
    assert scores == {f"application-{n}": expected_score(score_request(n)) for n in range(8) if n != 3}
    [failed] = [each.error for each in answers if each.HasField("error")]
    assert (failed.application_id, failed.code) == ("application-3", "INTERNAL")


@both
async def test_a_stream_whose_source_fails_answers_what_was_sent_and_then_tells(kind: str) -> None:
    async def failing() -> AsyncIterator[Pair]:
        async for pair in pairs_of(3):
            yield pair
        raise LookupError("no more resumes")

    async with running_api(FakeScorer()) as api, open_client(kind, api.addresses.grpc) as client:
        answers = client.stream(failing())
        answered = [(await anext(answers)).result.application_id for _ in range(3)]
        with pytest.raises(LookupError, match="no more resumes"):
            await anext(answers)

    assert sorted(answered) == ["application-0", "application-1", "application-2"]


async def test_leaving_a_stream_early_withdraws_what_is_in_flight() -> None:
    class OneOpen(GatedScorer):
        async def score(self, request):  # type: ignore[no-untyped-def]
            if request.request_id == "application-0":
                return await FakeScorer.score(self, request)
            return await super().score(request)

    scorer = OneOpen()
    async with running_api(scorer) as api, open_client("asyncio", api.addresses.grpc) as client:
        answers = client.stream(pairs_of(4))
        await anext(answers)
        await scorer.until_entered(3)

        await answers.aclose()

        async with asyncio.timeout(5):
            while len(scorer.withdrawn) < 3:
                await asyncio.sleep(0.01)


@both
async def test_an_explanation_holds_score_influence_and_words(kind: str) -> None:
    async with running_api(FakeScorer()) as api, open_client(kind, api.addresses.grpc) as client:
        explanation = await client.explain(Pair(JOB, "Ten years.\n\nSurgery.\n\nNights.", "application-1"))

    assert explanation.result.application_id == "application-1"
    assert explanation.text == "Five years of surgery. No nights so far."
    assert explanation.text_missing == ""
    assert sum(part.points != 0 for part in explanation.attribution.parts) > 0
    assert "Surgery" not in repr(Pair(JOB, "Surgery."))


@both
async def test_a_label_is_published(kind: str) -> None:
    label = ScoreLabelled(application_id="a-1", score=70, rater="r-1")
    async with running_api(FakeScorer()) as api, open_client(kind, api.addresses.grpc) as client:
        answer = await client.submit_label(label)

        assert api.publisher.labels == [label]
        assert (answer.partition, answer.offset) == (3, 41)


@both
async def test_the_deadline_ends_a_call_on_both_sides(kind: str) -> None:
    scorer = GatedScorer()
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc) as client:
        with pytest.raises(DeadlinePassed):
            await client.score(JOB, "Ten years.", application_id="late", timeout_seconds=0.3)
        async with asyncio.timeout(5):
            while scorer.withdrawn != ["late"]:
                await asyncio.sleep(0.01)


@both
async def test_errors_name_the_field(kind: str) -> None:
    async with running_api(FakeScorer()) as api, open_client(kind, api.addresses.grpc) as client:
        with pytest.raises(RequestInvalid) as empty:
            await client.score(JOB, " ")
        with pytest.raises(RequestInvalid) as ranking:
            await client.rank(JOB, [("a-0", "Ten years."), ("a 1", "Ten years.")])
        with pytest.raises(RequestInvalid) as nested:
            await client.explain(Pair("", "Ten years."))

    assert [each.field for each in empty.value.violations] == ["resume"]
    assert empty.value.reason == "FIELD_LIMITS"
    assert [each.field for each in ranking.value.violations] == ["candidates[1].application_id"]
    assert [each.field for each in nested.value.violations] == ["request.job.description"]


@both
async def test_faults_of_the_server_and_absent_servers_are_told_apart(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_connection, "CHANNEL_OPTIONS", (("grpc.enable_retries", 0),))
    scorer = FakeScorer()
    scorer.failures = {"": ScoringFailed("Ten years.")}
    async with running_api(scorer) as api, open_client(kind, api.addresses.grpc) as client:
        with pytest.raises(ServerFault) as failed:
            await client.score(JOB, "Ten years.")
        gone = api.addresses.grpc
    async with open_client(kind, gone) as client:
        with pytest.raises(ServerUnavailable):
            await client.score(JOB, "Ten years.")

    assert failed.value.reason == "SCORING_FAILED"
    assert "years" not in str(failed.value)


@both
async def test_mutual_tls_and_a_token_let_the_client_in_and_nobody_without(kind: str, tmp_path: Path) -> None:
    authority = Authority()
    ca_file = tmp_path / "ca.crt"
    ca_file.write_bytes(authority.certificate)
    server = authority.issue("server").write(tmp_path)
    own = {
        name.replace("grpc_tls_cert", "cert_").replace("grpc_tls_key", "key_"): Path(path)
        for name, path in authority.issue("client").write(tmp_path, "client").items()
    }
    settings = {**server, "grpc_tls_client_cafile": str(ca_file), "grpc_admin_token": "s3cret"}
    settings["adapter_store"] = str(tmp_path / "store")
    complete = ClientOptions(ca_file=ca_file, token="s3cret", timeout_seconds=10, **own)
    wrong = ClientOptions(ca_file=ca_file, token="guess", timeout_seconds=10, **own)
    nameless = ClientOptions(ca_file=ca_file, timeout_seconds=1)
    async with running_api(FakeScorer(), **settings) as api:
        address = api.addresses.grpc
        async with open_client(kind, address, complete) as client:
            assert (await client.list_adapters()).active_digest == "base"
        async with open_client(kind, address, wrong) as client:
            with pytest.raises(NotAllowed):
                await client.list_adapters()
        async with open_client(kind, address, nameless) as client:
            with pytest.raises((ServerUnavailable, DeadlinePassed)):
                await client.score(JOB, "Ten years.")
    assert "s3cret" not in repr(complete)


def test_options_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ValueError, match="is_plaintext"):
        ClientOptions(is_plaintext=True, ca_file=Path("ca.crt"))
    with pytest.raises(ValueError, match="key_file"):
        ClientOptions(cert_file=Path("client.crt"))


def test_importing_the_client_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'faust', 'aiokafka', 'numpy', 'pydantic', 'opentelemetry'}"
    code = f"import services.client, sys; print(sorted({heavy} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "[]"
