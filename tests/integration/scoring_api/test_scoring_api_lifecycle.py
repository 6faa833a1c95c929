"""The API from its start to its end: health, reflection, the HTTP port, draining."""

import asyncio
from collections import Counter

import grpc
import httpx
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from services.contracts.errors import ScoringFailed, SettingsInvalid
from services.pb.scoring.v1.scoring_service_pb2 import StreamScoresRequest
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub
from tests.doubles.api import Api, expected_score, running_api, score_request
from tests.doubles.scorer import FakeScorer, GatedScorer

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = ("", "scoring.v1.ScoringService", "scoring.v1.FeedbackService")


async def health_of(api: Api, service: str = "") -> int:
    stub = health_pb2_grpc.HealthStub(api.channel)
    status: int = (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status
    return status


async def http_status(api: Api, path: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{api.addresses.http_port}{path}")).status_code


@pytest.mark.parametrize("service", SERVICES)
async def test_health_answers_for_the_server_and_each_service(service: str) -> None:
    async with running_api(FakeScorer()) as api:
        assert await health_of(api, service) == SERVING


async def test_a_service_that_is_not_there_has_no_health() -> None:
    async with running_api(FakeScorer()) as api:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health_of(api, "scoring.v1.NoSuchService")

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_api_serves_only_after_the_warm_up() -> None:
    is_warm = asyncio.Event()
    async with running_api(FakeScorer(), warm_up=is_warm.wait) as api:
        assert await health_of(api) == NOT_SERVING
        assert await http_status(api, "/readyz") == 503
        assert await http_status(api, "/livez") == 200

        is_warm.set()

        watch = health_pb2_grpc.HealthStub(api.channel).Watch(health_pb2.HealthCheckRequest())
        while (await watch.read()).status != SERVING:
            pass
        assert await http_status(api, "/readyz") == 200
        watch.cancel()


async def test_a_failed_warm_up_ends_the_api() -> None:
    async def fail() -> None:
        raise ScoringFailed("the model failed")

    with pytest.raises(ScoringFailed):
        async with running_api(FakeScorer(), warm_up=fail) as api:
            await api.running


async def test_a_hanging_model_is_not_live() -> None:
    class Hanging(FakeScorer):
        def seconds_since_progress(self) -> float:
            return 121.0

    async with running_api(Hanging()) as api:
        assert await http_status(api, "/livez") == 503


async def test_metrics_are_served() -> None:
    async with running_api(FakeScorer()) as api, httpx.AsyncClient() as client:
        await api.scoring.Score(score_request(1))

        page = (await client.get(f"http://127.0.0.1:{api.addresses.http_port}/metrics")).text

    assert 'scoring_requests_total{entrypoint="score",outcome="ok"} 1.0' in page


async def test_a_taken_port_stops_the_start_and_names_the_setting() -> None:
    async with running_api(FakeScorer()) as api:
        port = int(api.addresses.grpc.rpartition(":")[2])

        with pytest.raises(SettingsInvalid, match="SCORER_GRPC_PORT"):
            async with running_api(FakeScorer(), grpc_port=port):
                pass


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_the_services_and_describes_them(version: str) -> None:
    async with running_api(FakeScorer()) as api:
        ask = api.channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        questions = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="scoring.v1.ScoringService"),
            reflection_pb2.ServerReflectionRequest(
                file_containing_symbol=f"grpc.reflection.{version}.ServerReflection"
            ),
        ]
        listed, described, itself = [answer async for answer in ask(iter(questions))]

    assert {each.name for each in listed.list_services_response.service} == {
        "scoring.v1.ScoringService",
        "scoring.v1.FeedbackService",
        "scoring.v1.AdapterService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    files = [
        FileDescriptorProto.FromString(each)
        for each in described.file_descriptor_response.file_descriptor_proto
    ]
    [service] = [each for file in files for each in file.service if each.name == "ScoringService"]
    methods = {method.name for method in service.method}
    assert methods == {"Score", "RankCandidates", "StreamScores", "Explain"}
    [file] = itself.file_descriptor_response.file_descriptor_proto
    assert FileDescriptorProto.FromString(file).package == f"grpc.reflection.{version}"


async def test_a_drain_finishes_what_is_in_flight_and_refuses_the_rest() -> None:
    scorer = GatedScorer()
    async with running_api(scorer) as api:
        requests = [score_request(number) for number in range(20)]
        calls = [api.scoring.Score(request) for request in requests]
        await scorer.until_entered(20)
        watch = health_pb2_grpc.HealthStub(api.channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING

        api.stop.set()
        assert (await watch.read()).status == NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await api.scoring.Score(score_request(99), timeout=2)
        scorer.gate.set()
        answers = await asyncio.gather(*calls)
        # The watch never ends of itself and must not hold the drain up for its 5 seconds.
        await asyncio.wait_for(api.running, 2)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert [each.result.score for each in answers] == [expected_score(each) for each in requests]
    assert "application-99" not in scorer.entered


async def test_a_drain_does_not_wait_for_ever() -> None:
    scorer = GatedScorer()
    async with running_api(scorer, drain_seconds=0.2) as api:
        call = api.scoring.Score(score_request(1))
        await scorer.until_entered(1)

        api.stop.set()
        await asyncio.wait_for(api.running, 2)

        with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
            await call
    assert scorer.withdrawn == ["application-1"]


async def test_a_drain_answers_what_a_stream_has_sent_and_then_ends_it() -> None:
    scorer = GatedScorer()
    async with running_api(scorer) as api:
        call = api.scoring.StreamScores()
        for number in range(5):
            await call.write(StreamScoresRequest(request=score_request(number)))
        await scorer.until_entered(5)

        api.stop.set()
        await asyncio.sleep(0.05)
        scorer.gate.set()
        answers = [await call.read() for _ in range(5)]

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        await asyncio.wait_for(api.running, 2)
    assert {each.result.application_id for each in answers} == {f"application-{each}" for each in range(5)}
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_an_idle_stream_does_not_hold_a_drain_up() -> None:
    async with running_api(FakeScorer()) as api:
        call = api.scoring.StreamScores()
        await call.write(StreamScoresRequest(request=score_request(1)))
        await call.read()

        api.stop.set()

        await asyncio.wait_for(api.running, 2)
        with pytest.raises(grpc.aio.AioRpcError):
            await call.read()


async def test_whatever_arrives_during_a_drain_is_refused_so_that_clients_try_again() -> None:
    codes: Counter[grpc.StatusCode] = Counter()
    has_ended = asyncio.Event()

    async def call_until_the_end(api: Api, number: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]  # a connection for each caller
        async with grpc.aio.insecure_channel(api.addresses.grpc, options=options) as channel:
            stub = ScoringServiceStub(channel)  # type: ignore[no-untyped-call]
            while not has_ended.is_set():
                try:
                    await stub.Score(score_request(number), timeout=10)
                    codes[grpc.StatusCode.OK] += 1
                except grpc.aio.AioRpcError as error:
                    codes[error.code()] += 1

    async with running_api(FakeScorer(delay_seconds=0.02)) as api:
        callers = [asyncio.create_task(call_until_the_end(api, number)) for number in range(30)]
        while codes[grpc.StatusCode.OK] < 30:
            await asyncio.sleep(0.01)

        api.stop.set()
        await asyncio.wait({api.running})
        has_ended.set()
        await asyncio.gather(*callers)

    print(dict(codes))
    assert codes.keys() == {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
