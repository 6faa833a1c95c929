"""A model that fails or hangs under a worker, and an API that is asked for far more than it can do."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from prometheus_client import CollectorRegistry

from services.contracts.engine_settings import EngineSettings
from services.pb.scoring.v1.events_pb2 import InlineJob
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub
from services.process.settings import Settings, load_settings
from services.scoring.engine.factory import build_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model.score_model import ScoreModel, TreeRow
from services.scoring_worker.app import run_worker
from services.scoring_worker.metrics import WorkerMetrics
from tests.doubles import texts
from tests.doubles.models import tiny_settings
from tests.doubles.ports import free_port
from tests.programs.faults.applications import any_broker, fault_settings, sending
from tests.programs.faults.fleet import Fleet

MAX_SECONDS_TO_FIRST_ANSWER = 60.0
PATIENCE_SECONDS = 240.0
MOST_PAIRS_AT_ONCE = 3
POISON_EVERY = 50  # each of these applications fails alone, too
HANG_SECONDS = 3.0
NOTICE_SECONDS = 5.0  # beside HANG_SECONDS: the question itself, on busy cores
MEBIBYTE = 1024**2


async def out_of_memory(folder: Path, num_applications: int = 500) -> dict[str, float]:
    """Batches that do not fit are split; what fails alone goes to the dead letters, and the worker lives.

    Args:
        folder: not used.
        num_applications: each fiftieth fails however small its batch is.

    Returns:
        What was counted.
    """
    doomed: set[int] = set()
    compute = ScoreModel.score_tree_logits
    refused: Counter[int] = Counter()

    def run_out(model: ScoreModel, rows: list[TreeRow]) -> Any:
        if len(rows) > MOST_PAIRS_AT_ONCE or any(len(row.suffix) in doomed for row in rows):
            refused[len(rows)] += 1
            raise RuntimeError("CUDA out of memory")
        return compute(model, rows)

    async with any_broker() as address:
        settings = fault_settings(address)
        async with sending(settings) as applications:
            with _engine() as engine:
                # A length that no other resume has marks those that fail.
                long = " ".join(["word"] * 900)
                doomed.add(len(engine._reader.read("x", long).prompt.suffix))
                await applications.send(num_applications)
                num_doomed = num_applications // POISON_EVERY
                await applications.send_texts([long] * num_doomed)
                ScoreModel.score_tree_logits = run_out  # type: ignore[method-assign]
                try:
                    async with _worker(settings, engine):
                        await applications.until(num_applications + num_doomed, PATIENCE_SECONDS)
                finally:
                    ScoreModel.score_tree_logits = compute  # type: ignore[method-assign]
            counts: dict[str, float] = dict(applications.counts())
    counts |= {"batches_split": sum(n for size, n in refused.items() if size > 1), "doomed": num_doomed}
    assert counts["batches_split"] > 0, counts
    assert counts["dead_letters"] == num_doomed, counts
    assert counts["scored"] == num_applications, counts
    assert counts["lost"] == 0, counts
    return counts


async def hung_model(folder: Path) -> dict[str, float]:
    """A forward pass that never ends: /livez fails within the set time, and not before.

    Args:
        folder: not used.

    Returns:
        What was counted.
    """
    compute, go_on = ScoreModel.score_tree_logits, threading.Event()

    def hang(model: ScoreModel, rows: list[TreeRow]) -> Any:
        go_on.wait(PATIENCE_SECONDS)
        return compute(model, rows)

    async with any_broker() as address:
        port = free_port()
        settings = fault_settings(address, hang_seconds=HANG_SECONDS, worker_metrics_port=port)
        async with sending(settings) as applications, httpx.AsyncClient() as client:
            with _engine() as engine:
                async with _worker(settings, engine):
                    await _until_status(client, port, "/readyz", 200)
                    assert await _status(client, port, "/livez") == 200
                    ScoreModel.score_tree_logits = hang  # type: ignore[method-assign]
                    try:
                        await applications.send(20)
                        while not engine.seconds_since_progress():
                            await asyncio.sleep(0.01)
                        started = time.monotonic() - engine.seconds_since_progress()
                        await _until_status(client, port, "/livez", 503)
                        seconds = time.monotonic() - started
                    finally:
                        ScoreModel.score_tree_logits = compute  # type: ignore[method-assign]
                        go_on.set()
                    await applications.until(20, PATIENCE_SECONDS)
                    await _until_status(client, port, "/livez", 200)
            counts: dict[str, float] = dict(applications.counts())
    counts |= {"hang_seconds": HANG_SECONDS, "noticed_seconds": round(seconds, 2)}
    assert HANG_SECONDS <= seconds <= HANG_SECONDS + NOTICE_SECONDS, counts
    assert counts["scored"] == counts["sent"], counts
    return counts


async def overload(
    folder: Path, seconds: float = 60.0, factor: float = 10.0, deadline_seconds: float = 10.0
) -> dict[str, float]:
    """Ten times what an API can do: the rest is refused at once, and what is accepted is answered in time.

    Args:
        folder: for logs.
        seconds: how long it lasts, some deadlines.
        factor: calls sent for each one that the API can answer.
        deadline_seconds: of every call.

    Returns:
        What was counted.
    """
    port = free_port()
    load = _Load(deadline_seconds)
    settings = load_settings()
    # Room for more pairs than can be computed before their deadlines: the number alone must not decide.
    with Fleet(settings, folder, kafka_bootstrap_servers="127.0.0.1:1") as fleet:
        api = fleet.start("api", grpc_port=port)
        await api.until_ready()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = ScoringServiceStub(channel)  # type: ignore[no-untyped-call]
            capacity = await _Load(deadline_seconds).capacity(stub, max(2.0, seconds / 10))
            before = api.resident_bytes()
            peak = await load.run(stub, capacity * factor, seconds, api.resident_bytes)
            still = await _Load(deadline_seconds).capacity(stub, max(2.0, seconds / 10))
        assert api.is_alive, api.tail()
    refused = sorted(load.refusal_seconds)
    counts: dict[str, float] = {
        "capacity_per_second": round(capacity, 1),
        "sent": sum(load.codes.values()),
        **{name.lower(): count for name, count in load.codes.items()},
        "refused_without_hint": load.num_without_hint,
        "refusal_seconds_p50": round(refused[len(refused) // 2], 4) if refused else -1,
        "refusal_seconds_p99": round(refused[len(refused) * 99 // 100], 4) if refused else -1,
        "late_once_settled": sum(begun > deadline_seconds for begun in load.late_after),
        "answer_seconds_max": round(max(load.answer_seconds, default=-1), 2),
        "memory_growth_mib": round((peak - before) / MEBIBYTE, 1),
        "capacity_afterwards": round(still, 1),
    }
    assert load.codes.keys() <= {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}, counts
    assert load.codes["OK"] > 0, counts
    assert load.codes["RESOURCE_EXHAUSTED"] > load.codes["OK"], counts
    assert load.num_without_hint == 0, counts
    # Admission goes by an estimate, which has to settle first: late answers are the exception, not the rule.
    most_late = load.codes["OK"] / 10 + 16
    if still < capacity / 2:
        # The machine itself slowed down: what it could have done within a deadline was let in in good faith.
        most_late += capacity * deadline_seconds
    assert load.codes["DEADLINE_EXCEEDED"] <= most_late, counts
    # The client's own core included: at once is in a fraction of the deadline.
    assert counts["refusal_seconds_p50"] < deadline_seconds / 2, counts
    assert peak - before < 512 * MEBIBYTE, counts
    return counts


class _Load:
    """Calls of one kind, and how they ended."""

    def __init__(self, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._jobs = texts.jobs(5)
        # So long that the API computes, not this client: at ten times the load both share the machine.
        written = texts.resumes(50, seed=3)
        self._resumes = ["\n\n".join(written[start : start + 5]) for start in range(0, len(written), 5)]
        self._number = 0
        self._begun = 0.0
        self.codes: Counter[str] = Counter()
        self.num_without_hint = 0
        self.refusal_seconds: list[float] = []
        self.late_after: list[float] = []  # seconds from the begin to when such a call was sent
        self.answer_seconds: list[float] = []

    async def capacity(self, stub: Any, seconds: float) -> float:
        """Returns answers a second with few callers that wait for one another; waits longer for the first."""
        begun_at = time.monotonic()

        async def call_again() -> None:
            while (lasted := time.monotonic() - begun_at) < seconds or (
                not self.codes["OK"] and lasted < MAX_SECONDS_TO_FIRST_ANSWER
            ):
                await self._call(stub)

        await asyncio.gather(*(call_again() for _ in range(16)))
        num_ok = self.codes["OK"]
        assert num_ok, "the API answered nothing"
        return num_ok / seconds

    async def run(self, stub: Any, rate: float, seconds: float, measure: Any) -> int:
        """Sends at a rate, whatever comes back; returns the largest measure."""
        self._begun = started = time.monotonic()
        peak = 0
        calls: list[asyncio.Task[None]] = []
        while (elapsed := time.monotonic() - started) < seconds:
            for _ in range(int(rate * elapsed) - len(calls)):
                calls.append(asyncio.create_task(self._call(stub)))
            peak = max(peak, measure())
            await asyncio.sleep(0.05)
        await asyncio.gather(*calls)
        return max(peak, measure())

    async def _call(self, stub: Any) -> None:
        self._number += 1
        job = self._jobs[self._number % len(self._jobs)]
        request = ScoreRequest(
            application_id=f"a-{self._number}",
            job=InlineJob(title=job.title, description=job.description),
            resume=f"{self._resumes[self._number % len(self._resumes)]}\n{self._number}",
        )
        started = time.monotonic()
        try:
            await stub.Score(request, timeout=self._deadline_seconds)
        except grpc.aio.AioRpcError as error:
            self.codes[error.code().name] += 1
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                self.late_after.append(started - self._begun)
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                self.refusal_seconds.append(time.monotonic() - started)
                self.num_without_hint += not _has_retry_info(error)
        else:
            self.codes["OK"] += 1
            self.answer_seconds.append(time.monotonic() - started)


def _has_retry_info(error: grpc.aio.AioRpcError) -> bool:
    status = rpc_status.from_call(error)
    return any(each.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for each in status.details)


@contextmanager
def _engine() -> Iterator[ScoringEngine]:
    base = tiny_settings(load_settings().model_cache_dir)
    engine = build_engine(
        EngineSettings.of(base, batch_layout="padded", max_prompt_tokens=2048, mask_identity=False)
    )
    engine.start()
    try:
        yield engine
    finally:
        engine.close()


class _worker:  # noqa: N801  (reads as a noun in a with statement)
    """Runs a worker in this process while the context lasts, and stops it in order."""

    def __init__(self, settings: Settings, engine: ScoringEngine) -> None:
        self._stop = asyncio.Event()
        metrics = WorkerMetrics(CollectorRegistry())
        self._work = run_worker(settings, engine, metrics, stop=self._stop)

    async def __aenter__(self) -> None:
        self._running = asyncio.create_task(self._work)

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await self._running


async def _status(client: httpx.AsyncClient, port: int, path: str) -> int:
    try:
        return (await client.get(f"http://127.0.0.1:{port}{path}")).status_code
    except httpx.HTTPError:
        return 0


async def _until_status(client: httpx.AsyncClient, port: int, path: str, wanted: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await _status(client, port, path) != wanted:
            await asyncio.sleep(0.05)
