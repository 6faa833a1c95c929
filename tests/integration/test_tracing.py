"""Traces from a producer's traceparent to the published score, and through a gRPC call."""

import asyncio
import logging
import subprocess
import sys
from concurrent import futures
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import CollectorRegistry

from services.contracts.errors import ScoringFailed
from services.contracts.scoring import PairRequest, PairScore, StageSeconds
from services.contracts.topics import APPLICATION_SCORED, APPLICATION_SUBMITTED
from services.pb.scoring.v1.scoring_service_pb2 import Candidate, RankCandidatesRequest
from services.process.logging import name_trace
from services.process.settings import Settings
from services.process.tracing import NO_TRACE, Tracing, current_trace
from services.scoring_api.app import ApiAddresses, run_api
from services.scoring_api.metrics import ApiMetrics
from services.scoring_worker.app import run_worker
from services.scoring_worker.metrics import WorkerMetrics
from tests.doubles.api import JOB, score_request
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.publisher import FakePublisher
from tests.doubles.scorer import FakeScorer, fake_score

TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"
STAGES = {"encode": 0.002, "queue": 0.004, "forward": 0.03, "readout": 0.001}
NAME, MAIL, WORK = "Mxyzptlk Quibberson", "mxyzptlk@quibberson.example", "zorbing"
PERSON = f"{NAME}, {MAIL}, {WORK}"
MARKS = ("xyzptlk", "uibberson", "zorb")


class TimedScorer(FakeScorer):
    """Tells known times, and what log lines would say of the trace while it scores."""

    def __init__(self) -> None:
        super().__init__()
        self.log_fields: list[dict[str, Any]] = []

    async def score(self, request: PairRequest) -> PairScore:
        self.log_fields.append(dict(name_trace(None, "", {})))
        await super().score(request)
        made = fake_score(request)
        fields = {name: getattr(made, name) for name in PairScore.__dataclass_fields__}
        return PairScore(**{**fields, "seconds": StageSeconds(**STAGES)})


def by_name(exporter: InMemorySpanExporter) -> dict[str, Any]:
    spans = exporter.get_finished_spans()
    assert len({span.name for span in spans}) == len(spans)
    return {span.name: span for span in spans}


def assert_stages_follow_one_another(spans: dict[str, Any]) -> None:
    whole = spans["score"]
    start = whole.start_time
    for name, seconds in STAGES.items():
        assert spans[name].parent.span_id == whole.context.span_id
        assert spans[name].start_time == start
        start = spans[name].end_time
        assert start - spans[name].start_time == round(seconds * 10**9)
    assert whole.end_time == start


async def traced_worker(settings: Settings, scorer: Any, tracing: Tracing | None, until: Any) -> Any:
    stop = asyncio.Event()
    metrics = WorkerMetrics(CollectorRegistry())
    running = asyncio.create_task(run_worker(settings, scorer, metrics, stop=stop, tracing=tracing))
    try:
        return await until
    finally:
        stop.set()
        await running


async def test_one_trace_leads_from_the_application_to_its_published_score(
    settings: Settings, desk: KafkaDesk
) -> None:
    exporter, scorer = InMemorySpanExporter(), TimedScorer()
    tracing = Tracing("", "scoring-worker", exporter)
    await desk.post_job("a", f"Wanted: {PERSON}")
    value = desk.application("app", "a", PERSON)
    await desk.send(APPLICATION_SUBMITTED, "a", value, [("traceparent", TRACEPARENT.encode())])
    await desk.flush()

    read = desk.read(APPLICATION_SCORED, lambda found: len(found) >= 1)
    [record] = await traced_worker(settings, scorer, tracing, read)

    spans = by_name(exporter)
    assert set(spans) == {"application", "score", "publish", *STAGES}
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {TRACE_ID}
    root = spans["application"]
    assert (f"{root.parent.span_id:016x}", root.kind) == (PARENT_ID, SpanKind.CONSUMER)
    assert spans["score"].parent.span_id == spans["publish"].parent.span_id == root.context.span_id
    assert_stages_follow_one_another(spans)
    handed_on = dict(record.headers)["traceparent"].decode()
    assert handed_on == f"00-{TRACE_ID}-{root.context.span_id:016x}-01"
    assert scorer.log_fields == [{"trace_id": TRACE_ID}]
    assert root.resource.attributes["service.name"] == "scoring-worker"
    everything = "".join(span.to_json() for span in spans.values())
    assert not [mark for mark in MARKS if mark in everything]


async def test_a_dead_letter_ends_its_trace_as_failed_without_the_text(
    settings: Settings, desk: KafkaDesk, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = InMemorySpanExporter()
    tracing = Tracing("", "scoring-worker", exporter)
    value = desk.application("app", "a", PERSON, **{WORK: NAME})
    await desk.send(APPLICATION_SUBMITTED, "a", value, [("TraceParent", TRACEPARENT.encode())])
    await desk.flush()

    strict = settings.model_copy(update={"strict_fields": True})
    [letter] = await traced_worker(strict, FakeScorer(), tracing, desk.dead_letters(1))

    root = by_name(exporter)["application"]
    assert f"{root.context.trace_id:032x}" == TRACE_ID
    assert (root.status.status_code, root.status.description) == (StatusCode.ERROR, "unknown_field")
    assert dict(letter.headers)["TraceParent"] == TRACEPARENT.encode()
    assert not [mark for mark in MARKS if mark in root.to_json()]


async def with_api(scorer: Any, tracing: Tracing | None, ask: Any) -> None:
    """Runs an API, asks it, and stops it."""
    stop = asyncio.Event()
    listening: asyncio.Future[ApiAddresses] = asyncio.get_running_loop().create_future()
    settings = Settings(grpc_port=0, api_metrics_port=0)
    running = asyncio.create_task(
        run_api(
            settings,
            scorer,
            ApiMetrics(CollectorRegistry()),
            stop=stop,
            publisher=FakePublisher(),
            on_listening=listening.set_result,
            tracing=tracing,
        )
    )
    try:
        async with grpc.aio.insecure_channel((await listening).grpc) as channel:
            from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub

            await ask(ScoringServiceStub(channel))
    finally:
        stop.set()
        await running


async def test_a_call_is_traced_below_its_callers_span() -> None:
    exporter, scorer = InMemorySpanExporter(), TimedScorer()

    async def ask(stub: Any) -> None:
        await stub.Score(score_request(1, PERSON), metadata=(("traceparent", TRACEPARENT),))

    await with_api(scorer, Tracing("", "scoring-api", exporter), ask)

    spans = by_name(exporter)
    root = spans["scoring.v1.ScoringService/Score"]
    assert set(spans) == {root.name, "score", *STAGES}
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {TRACE_ID}
    assert (f"{root.parent.span_id:016x}", root.kind) == (PARENT_ID, SpanKind.SERVER)
    assert spans["score"].parent.span_id == root.context.span_id
    assert_stages_follow_one_another(spans)
    assert scorer.log_fields == [{"trace_id": TRACE_ID}]
    everything = "".join(span.to_json() for span in spans.values())
    assert not [mark for mark in MARKS if mark in everything]


async def test_a_ranking_without_a_traceparent_is_one_trace_of_its_own() -> None:
    exporter = InMemorySpanExporter()

    async def ask(stub: Any) -> None:
        candidates = [Candidate(application_id=f"a-{n}", resume=f"Ten years, {n}") for n in range(3)]
        await stub.RankCandidates(RankCandidatesRequest(job=JOB, candidates=candidates))

    await with_api(TimedScorer(), Tracing("", "scoring-api", exporter), ask)

    spans = exporter.get_finished_spans()
    assert len({span.context.trace_id for span in spans}) == 1
    [root] = [span for span in spans if span.parent is None]
    assert root.name == "scoring.v1.ScoringService/RankCandidates"
    assert sum(span.name == "score" for span in spans) == 3


async def test_a_failed_call_tells_the_kind_of_its_error_and_nothing_else() -> None:
    exporter, scorer = InMemorySpanExporter(), FakeScorer()
    scorer.failures = {"": ScoringFailed(f"cannot score {PERSON}")}

    async def ask(stub: Any) -> None:
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Score(score_request(1, PERSON))

    await with_api(scorer, Tracing("", "scoring-api", exporter), ask)

    [span] = exporter.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ScoringFailed")
    assert not span.events
    assert not [mark for mark in MARKS if mark in span.to_json()]


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps what is exported."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def Export(self, request: Any, context: Any) -> Any:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.names += [span.name for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


async def test_the_endpoint_of_the_settings_gets_the_spans_by_otlp() -> None:
    collector = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:

        async def ask(stub: Any) -> None:
            await stub.Score(score_request(1))

        await with_api(TimedScorer(), Tracing(f"http://127.0.0.1:{port}", "scoring-api"), ask)
    finally:
        server.stop(None).wait()

    assert set(collector.names) == {"scoring.v1.ScoringService/Score", "score", *STAGES}


@pytest.mark.parametrize(
    ("came", "goes_on"),
    [
        ({"traceparent": TRACEPARENT}, {"traceparent": TRACEPARENT}),
        (
            {"Traceparent": TRACEPARENT, "tracestate": "a=1"},
            {"traceparent": TRACEPARENT, "tracestate": "a=1"},
        ),
        ({"traceparent": TRACEPARENT, "tracestate": "a" * 513}, {"traceparent": TRACEPARENT}),
        ({"traceparent": PERSON, "tracestate": "a=1"}, {}),
        ({"traceparent": TRACEPARENT.replace("-", " ")}, {}),
        ({"tracestate": "a=1"}, {}),
        ({}, {}),
    ],
)
def test_off_hands_on_a_context_as_it_came(came: dict[str, str], goes_on: dict[str, str]) -> None:
    expected = [(name, value.encode()) for name, value in goes_on.items()]
    with Tracing.off().of_record("x", [(name, value.encode()) for name, value in came.items()]) as trace:
        assert trace.headers() == current_trace.get().headers() == expected
    lower = [(name.lower(), value) for name, value in came.items()]  # as gRPC has it
    with Tracing.off().of_call("x", lower) as trace:
        assert trace.headers() == expected
    assert current_trace.get() is NO_TRACE


def test_off_records_nothing_and_loads_no_sdk() -> None:
    with Tracing("", "scoring-api").of_record("application", [("traceparent", TRACEPARENT.encode())]):
        assert name_trace(logging, "", {}) == {}
    code = (
        "import services.scoring_api.app, services.scoring_worker.app, sys\n"
        "from services.process.tracing import Tracing\n"
        "Tracing('', 'x').close()\n"
        "print(sum(name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter')) for name in sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "0"
