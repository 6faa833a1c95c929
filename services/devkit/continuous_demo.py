"""The steps of ``resume-scorer demo continuous``, each waited for until it is seen from outside."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import grpc

from services.contracts import topics
from services.devkit.child_processes import ChildProcesses
from services.devkit.console import out
from services.devkit.local_services import (
    SCORING_PORTS,
    ServicesFailed,
    child_environment,
    embedded_broker,
    first_of,
    prepare_model,
    until_ready,
    with_free_ports,
)
from services.devkit.sample_events import publish_event, publish_sample
from services.devkit.samples import load_samples
from services.events.kafka_client import connected_producer, create_topics, open_consumer
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted, InlineJob, ScoreLabelled
from services.pb.scoring.v1.scoring_service_pb2 import ScoreRequest
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub
from services.process.settings import Settings
from services.process.shutdown import stop_on_signals
from services.rollout import AdapterAdministration, open_store
from services.training_service import ENDS, Database, RunState, RunStore, load_base_set

NUM_LABELS = 60
_STEP_SECONDS = 240.0
# Sixty labels beside base pairs through a 270M model, on two slow cores; then both adapters are compared.
_TRAINING_SECONDS = 5400.0
_POLL_SECONDS = 0.5

# What the demo decides itself, so that it neither needs nor touches what else runs on this machine.
_CHANGED = ("adapter_store", "trainer_dir", "trainer_min_new_labels")

Seen = TypeVar("Seen")


def run_demo(settings: Settings) -> bool:
    """Goes through all steps with services, a broker and a folder of its own.

    Returns:
        Whether it came to its end; False where a signal ended it.

    Raises:
        ServicesFailed: a step was not seen in time, or came out otherwise.
        ChildFailed: a service ended by itself.
    """
    prepare_model(settings)
    with (
        TemporaryDirectory(prefix="resume-scorer-demo-") as folder,
        embedded_broker(with_free_ports(_in_folder(settings, Path(folder)))) as own,
    ):
        return asyncio.run(_run(own))


def _in_folder(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(
        update={
            "adapter_store": str(folder / "adapters"),
            "trainer_dir": folder / "trainer",
            "trainer_min_new_labels": min(settings.trainer_min_new_labels, NUM_LABELS),
        }
    )


async def _run(settings: Settings) -> bool:
    await create_topics(settings)
    children = ChildProcesses(child_environment(settings, _CHANGED))
    with stop_on_signals() as stop:
        try:
            for name in ("worker", "api", "trainer"):
                await children.start(name)
            await first_of(children.wait_for_failure(), stop.wait(), ContinuousDemo(settings).run())
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await children.stop(settings.drain_seconds + 5)
        return not stop.is_set()


class ContinuousDemo:
    """Plays the applicant-tracking system, the raters and the operator."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = time.monotonic()
        self._producer: Any = None
        self._consumer: Any = None
        self._stub: Any = None

    async def run(self) -> None:
        """Goes through all steps and prints when each was seen.

        Raises:
            ServicesFailed: a step was not seen in time, or came out otherwise.
        """
        async with AsyncExitStack() as stack:
            await self._connect(stack)
            await until_ready(self._settings, (*SCORING_PORTS, "trainer_metrics_port"))
            self._report("worker, API and trainer are ready")
            old = await self._until_digest(bool)
            self._report(f"worker and API score with adapter {_short(old)}")
            for sample in load_samples():
                await publish_sample(self._producer, sample)
            self._report("the six sample jobs and applications are published")
            await self._publish_labels()
            self._report(f"{NUM_LABELS} labels are published")
            published = await self._see_training()
            new = await self._until_digest(lambda digest: digest != old)
            self._check(new == published, "the scorers answer with another adapter than the published one")
            self._report(f"worker and API score with adapter {_short(new)}, without a restart")
            await self._roll_back()
            await self._until_digest(lambda digest: digest == old)
            self._report(f"worker and API score with adapter {_short(old)} again")

    async def _connect(self, stack: AsyncExitStack) -> None:
        self._producer = await stack.enter_async_context(connected_producer(self._settings))
        results = open_consumer(self._settings, topics.APPLICATION_SCORED)
        self._consumer = await stack.enter_async_context(results)
        channel = grpc.aio.insecure_channel(f"{self._settings.grpc_host}:{self._settings.grpc_port}")
        await stack.enter_async_context(channel)
        self._stub = ScoringServiceStub(channel)  # type: ignore[no-untyped-call]

    async def _publish_labels(self) -> None:
        for number, pair in enumerate(load_base_set()[:NUM_LABELS]):
            label = ScoreLabelled(
                application_id=f"labelled-{number}",
                rater="demo",
                score=pair.score,
                resume=pair.resume,
                job_description=pair.job_description,
            )
            await publish_event(self._producer, topics.SCORE_LABELLED, label.application_id, label)

    async def _see_training(self) -> str:
        """Waits until a run has started by itself, passed the gate and was published.

        Returns:
            The digest of the published adapter.
        """
        database = await asyncio.to_thread(Database, self._settings.trainer_dir)
        try:
            runs = RunStore(database)
            run = (await self._see(lambda: _off_loop(runs.latest, 1), bool, "a training run"))[0]
            self._report(f"training started by itself ({run.trigger})")
            ended = (
                await self._see(
                    lambda: _off_loop(runs.latest, 1),
                    lambda latest: latest[0].state in ENDS,
                    "the end of the training run",
                    _TRAINING_SECONDS,
                )
            )[0]
        finally:
            database.close()
        self._check(ended.state is RunState.PUBLISHED, f"the run ended as {ended.state}: {ended.message}")
        stored = await asyncio.to_thread(lambda: open_store(self._settings).find(ended.message))
        figures = ", ".join(f"{name} {value:.3g}" for name, value in stored.metrics.items())
        self._report(f"the adapter passed the gate ({figures})")
        self._report(f"published as {stored.version}")
        return stored.adapter_digest

    async def _roll_back(self) -> None:
        await AdapterAdministration(self._settings).rollback()
        self._report("rolled back")

    async def _until_digest(self, is_wanted: Callable[[str], bool]) -> str:
        return await self._see(self._digests, is_wanted, "the wanted adapter in worker and API")

    async def _digests(self) -> str:
        """Returns the digest that worker and API both answer with; asks again while they differ."""
        while True:
            worker, api = await asyncio.gather(self._digest_of_worker(), self._digest_of_api())
            if worker == api:
                return worker
            await asyncio.sleep(_POLL_SECONDS)

    async def _digest_of_worker(self) -> str:
        sample = load_samples()[0]
        probe = ApplicationSubmitted(
            application_id=f"probe-{uuid.uuid4().hex}",
            job_id=sample.job_id,
            resume=sample.resume,
            job=InlineJob(title=sample.job_title, description=sample.job_description),
        )
        await publish_event(self._producer, topics.APPLICATION_SUBMITTED, sample.job_id, probe)
        async for record in self._consumer:
            value = json.loads(record.value)
            if value["application_id"] == probe.application_id:
                return str(value["adapter_digest"])
        raise ServicesFailed("the scores ended")

    async def _digest_of_api(self) -> str:
        sample = load_samples()[0]
        job = InlineJob(title=sample.job_title, description=sample.job_description)
        request = ScoreRequest(resume=sample.resume, job=job)
        answer = await self._stub.Score(request, timeout=_STEP_SECONDS)
        return str(answer.result.adapter_digest)

    async def _see(
        self,
        look: Callable[[], Awaitable[Seen]],
        is_wanted: Callable[[Seen], bool],
        what: str,
        seconds: float = _STEP_SECONDS,
    ) -> Seen:
        try:
            async with asyncio.timeout(seconds):
                while not is_wanted(seen := await look()):
                    await asyncio.sleep(_POLL_SECONDS)
                return seen
        except TimeoutError as error:
            raise ServicesFailed(f"{what} was not seen within {seconds:.0f} s") from error

    def _check(self, is_right: bool, complaint: str) -> None:
        if not is_right:
            raise ServicesFailed(complaint)

    def _report(self, line: str) -> None:
        out.print(f"{time.monotonic() - self._started:8.1f} s  {line}", markup=False, soft_wrap=True)


async def _off_loop(function: Callable[..., Seen], *arguments: object) -> Seen:
    return await asyncio.to_thread(function, *arguments)


def _short(digest: str) -> str:
    return digest[:12]
