"""Several events of one application: whatever is scored first, the last result is that of the last event."""

import asyncio
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from services.contracts.scoring import PairRequest, PairScore
from services.events.wire.event_codec import SourceRecord
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.scoring_worker.application_processing import ApplicationProcessor, WaysOut
from services.scoring_worker.application_scoring import ApplicationScoring
from services.scoring_worker.in_flight import InFlight
from services.scoring_worker.job_store import KnownJob
from services.scoring_worker.metrics import WorkerMetrics
from services.scoring_worker.waiting_room import WaitingRoom
from tests.doubles.scorer import fake_score


class Desk:
    """A worker's processor whose scorer answers in the order that the test wants.

    Attributes:
        published: offsets by application, in the order of publishing.
    """

    def __init__(self, wait_seconds: float = 10.0) -> None:
        self.published: dict[str, list[int]] = {}
        self.done: list[int] = []
        self.letters: list[int] = []
        self.jobs = {"known": KnownJob("Build", version=3)}
        self.results: list[ScoreResult] = []
        self.metrics = WorkerMetrics(CollectorRegistry())
        self._gates: dict[str, asyncio.Event] = {}
        self.in_flight = InFlight(50, self.metrics.in_flight_applications.set, self._raise)
        self.processor = ApplicationProcessor(
            ApplicationScoring(self, self, lambda: None),  # type: ignore[arg-type]
            WaysOut(
                self,  # type: ignore[arg-type]
                Letters(self.letters),  # type: ignore[arg-type]
                lambda record: self.done.append(record.offset),
            ),
            WaitingRoom(wait_seconds, max_waiting=100),
            self.in_flight,
            self.metrics,
        )
        self.publishing = asyncio.Event()
        self.publishing.set()

    def find(self, job_id: str) -> KnownJob | None:
        return self.jobs.get(job_id)

    async def score(self, request: PairRequest) -> PairScore:
        await self.gate(request.resume).wait()
        return fake_score(request)

    async def put(self, record: SourceRecord, result: ScoreResult) -> None:
        await self.publishing.wait()
        self.published.setdefault(result.application_id, []).append(record.offset)
        self.results.append(result)

    def gate(self, resume: str) -> asyncio.Event:
        return self._gates.setdefault(resume, asyncio.Event())

    async def take(self, offset: int, application: str = "a", job: str = "known", partition: int = 0) -> None:
        value = {"application_id": application, "job_id": job, "resume": f"{partition}-{offset}"}
        record = SourceRecord("applications", partition, offset, job.encode(), json.dumps(value).encode())
        await self.processor.take(record)
        await asyncio.sleep(0)

    async def finish_scoring(self, *offsets: int, partition: int = 0) -> None:
        for offset in offsets:
            self.gate(f"{partition}-{offset}").set()
            await settle()

    def _raise(self, error: BaseException) -> None:
        raise error


class Letters:
    def __init__(self, offsets: list[int]) -> None:
        self._offsets = offsets

    async def put(self, record: SourceRecord, *_: object) -> None:
        self._offsets.append(record.offset)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_result_that_is_ready_before_that_of_an_earlier_event_waits_for_it() -> None:
    desk = Desk()
    await desk.take(5)
    await desk.take(6, application="b")
    await desk.take(7)

    await desk.finish_scoring(7, 6)
    assert desk.published == {"b": [6]}

    await desk.finish_scoring(5)
    assert desk.published == {"b": [6], "a": [5, 7]}


async def test_an_earlier_event_that_is_put_aside_holds_nothing_up() -> None:
    desk = Desk()
    await desk.processor.take(SourceRecord("applications", 0, 4, b"known", b"no JSON"))
    await desk.take(5)
    await desk.finish_scoring(5)

    assert (desk.published, desk.letters) == ({"a": [5]}, [4])


async def test_an_event_that_waited_for_its_job_while_a_later_one_was_scored_gets_no_result() -> None:
    desk = Desk()
    await desk.take(5, job="late")
    await desk.take(6)
    await desk.finish_scoring(6)
    desk.jobs["late"] = KnownJob("Late")
    desk.processor.on_job_posted("late")
    await settle()

    assert desk.published == {"a": [6]}
    assert sorted(desk.done) == [5, 6]
    labels = {"entrypoint": "kafka", "outcome": "superseded"}
    assert desk.metrics.registry.get_sample_value("scoring_requests_total", labels) == 1


async def test_an_event_whose_job_comes_in_time_keeps_its_place() -> None:
    desk = Desk()
    await desk.take(5, job="late")
    await desk.take(6)
    desk.jobs["late"] = KnownJob("Late")
    desk.processor.on_job_posted("late")
    await settle()

    await desk.finish_scoring(6)
    assert desk.published == {}
    await desk.finish_scoring(5)
    assert desk.published == {"a": [5, 6]}


async def test_a_superseded_event_becomes_no_dead_letter_when_its_time_is_over() -> None:
    desk = Desk(wait_seconds=0.0)
    await desk.take(5, job="late")
    await desk.take(6, application="b", job="late")
    await desk.take(7)
    await desk.finish_scoring(7)
    watching = asyncio.create_task(desk.processor.watch_waiting_room())
    while len(desk.done) < 3:
        await asyncio.sleep(0.01)
    watching.cancel()

    assert desk.letters == [6]


async def test_what_was_let_go_is_not_published_and_is_scored_when_it_comes_again() -> None:
    desk = Desk()
    await desk.take(5)
    await desk.take(6, job="late")
    await desk.take(7, partition=1)
    await desk.processor.let_go({0})
    await desk.finish_scoring(5)
    await desk.finish_scoring(7, partition=1)
    assert desk.published == {"a": [7]}

    await desk.take(5)
    await settle()
    assert desk.published == {"a": [7, 5]}


async def test_letting_go_waits_for_what_is_being_published() -> None:
    desk = Desk()
    desk.publishing.clear()
    await desk.take(5)
    await desk.finish_scoring(5)

    letting_go = asyncio.create_task(desk.processor.let_go({0}))
    await settle()
    assert not letting_go.done()

    desk.publishing.set()
    await letting_go
    assert desk.published == {"a": [5]}


async def test_a_record_that_waited_for_room_while_its_partition_was_let_go_is_not_started() -> None:
    desk = Desk()
    for offset in range(50):
        await desk.take(offset, application=f"a-{offset}")
    taking = asyncio.create_task(desk.take(50, application="last"))
    await settle()
    await desk.processor.let_go({0})
    await taking
    await desk.finish_scoring(50)

    assert desk.published == {}


async def test_the_result_names_the_version_of_the_job() -> None:
    desk = Desk()
    await desk.take(5)
    await desk.finish_scoring(5)

    assert desk.results[0].job_version == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_whatever_the_order_of_scoring_results_leave_in_the_order_of_events(
    applications: list[str], chance: random.Random
) -> None:
    published = asyncio.run(_score_in_any_order(applications, chance))

    for application in set(applications):
        expected = [offset for offset, each in enumerate(applications) if each == application]
        assert published[application] == expected


async def _score_in_any_order(applications: list[str], chance: random.Random) -> dict[str, list[int]]:
    desk = Desk()
    for offset, application in enumerate(applications):
        await desk.take(offset, application)
    order = list(range(len(applications)))
    chance.shuffle(order)
    await desk.finish_scoring(*order)
    return desk.published
