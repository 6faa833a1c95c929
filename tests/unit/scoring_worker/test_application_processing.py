import asyncio
import json

from prometheus_client import CollectorRegistry

from services.contracts.errors import EngineClosed, EngineOverloaded
from services.contracts.scoring import PairRequest, PairScore
from services.events.wire.event_codec import SourceRecord
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.scoring_worker.application_processing import ApplicationProcessor, WaysOut
from services.scoring_worker.application_scoring import ApplicationScoring
from services.scoring_worker.in_flight import InFlight
from services.scoring_worker.job_store import KnownJob
from services.scoring_worker.metrics import WorkerMetrics
from services.scoring_worker.waiting_room import WaitingRoom
from tests.doubles.scorer import FakeScorer


class Desk:
    """Everything around the processor: jobs, and a list for each way out."""

    def __init__(self, scorer: FakeScorer, max_in_flight: int = 8, max_waiting: int = 8) -> None:
        self.jobs: dict[str, str] = {"known": "Build"}
        self.scored: list[str] = []
        self.dead_letters: list[tuple[int, str]] = []
        self.done: list[int] = []
        self.failures: list[BaseException] = []
        self.in_flight = InFlight(max_in_flight, lambda _: None, self.failures.append)
        self.processor = ApplicationProcessor(
            ApplicationScoring(scorer, self, lambda: None),
            WaysOut(
                Scores(self.scored),  # type: ignore[arg-type]
                DeadLetterList(self.dead_letters),  # type: ignore[arg-type]
                lambda record: self.done.append(record.offset),
            ),
            WaitingRoom(wait_seconds=0.1, max_waiting=max_waiting),
            self.in_flight,
            WorkerMetrics(CollectorRegistry()),
        )

    def find(self, job_id: str) -> KnownJob | None:
        return KnownJob(self.jobs[job_id]) if job_id in self.jobs else None

    async def finish(self) -> None:
        await asyncio.wait_for(self.in_flight.drain(), 5)


class Scores:
    def __init__(self, scored: list[str]) -> None:
        self._scored = scored

    async def put(self, record: SourceRecord, result: ScoreResult) -> None:
        await asyncio.sleep(0)
        self._scored.append(result.application_id)


class DeadLetterList:
    def __init__(self, letters: list[tuple[int, str]]) -> None:
        self._letters = letters

    async def put(self, record: SourceRecord, kind: str, message: str, attempts: int = 1) -> None:
        self._letters.append((record.offset, kind))


class CountingScorer(FakeScorer):
    """Notes how many pairs it held at once."""

    def __init__(self) -> None:
        super().__init__(delay_seconds=0.01)
        self.num_held = self.most_held = 0

    async def score(self, request: PairRequest) -> PairScore:
        self.num_held += 1
        self.most_held = max(self.most_held, self.num_held)
        try:
            return await super().score(request)
        finally:
            self.num_held -= 1


def application(offset: int, job_id: str = "known", resume: str = "Knows Kafka") -> SourceRecord:
    value = {"application_id": f"a-{offset}", "job_id": job_id, "resume": resume}
    return SourceRecord("applications", 0, offset, job_id.encode(), json.dumps(value).encode())


async def test_no_more_applications_than_allowed_are_in_flight() -> None:
    scorer = CountingScorer()
    desk = Desk(scorer, max_in_flight=3)

    for offset in range(20):
        await desk.processor.take(application(offset))
    await desk.finish()

    assert scorer.most_held == 3
    assert sorted(desk.done) == list(range(20))


async def test_a_record_delivered_again_while_in_hand_is_scored_once() -> None:
    scorer = FakeScorer(delay_seconds=0.02)
    desk = Desk(scorer)

    await desk.processor.take(application(0))
    await desk.processor.take(application(0))
    await desk.finish()

    assert scorer.scored == ["a-0"]


async def test_an_overloaded_engine_is_tried_again_until_it_has_room() -> None:
    failures = iter([EngineOverloaded(0.001)] * 3)

    class BusyScorer(FakeScorer):
        async def score(self, request: PairRequest) -> PairScore:
            if failure := next(failures, None):
                raise failure
            return await super().score(request)

    desk = Desk(BusyScorer())
    await desk.processor.take(application(0))
    await desk.finish()

    assert desk.scored == ["a-0"]
    assert desk.dead_letters == []


async def test_a_closed_engine_leaves_the_application_undone() -> None:
    scorer = FakeScorer()
    scorer.failures["Kafka"] = EngineClosed("closing")
    desk = Desk(scorer)

    await desk.processor.take(application(0))
    await desk.finish()

    assert desk.processor.closed.is_set()
    assert (desk.done, desk.dead_letters, desk.failures) == ([], [], [])


async def test_a_bug_is_reported_and_the_application_stays_undone() -> None:
    scorer = FakeScorer()
    scorer.failures["Kafka"] = ZeroDivisionError()
    desk = Desk(scorer)

    await desk.processor.take(application(0))
    await asyncio.sleep(0.01)

    assert [type(failure) for failure in desk.failures] == [ZeroDivisionError]
    assert desk.done == []


async def test_applications_wait_for_their_job_without_holding_up_others() -> None:
    desk = Desk(FakeScorer(), max_in_flight=1)

    for offset in range(3):
        await desk.processor.take(application(offset, "unknown"))
    await desk.processor.take(application(3))
    desk.jobs["unknown"] = "Build"
    desk.processor.on_job_posted("unknown")
    await desk.finish()

    assert sorted(desk.scored) == ["a-0", "a-1", "a-2", "a-3"]


async def test_an_application_whose_job_never_comes_becomes_a_dead_letter() -> None:
    desk = Desk(FakeScorer(), max_waiting=1)
    watching = asyncio.create_task(desk.processor.watch_waiting_room())

    await desk.processor.take(application(0, "unknown"))
    await asyncio.sleep(0)
    await desk.processor.take(application(1, "unknown"))
    await asyncio.sleep(0.6)
    watching.cancel()

    # The second one found no room: that is another reason, for its job may still come.
    assert sorted(desk.dead_letters) == [(0, "unknown_job"), (1, "waiting_room_full")]
    assert sorted(desk.done) == [0, 1]


async def test_a_draining_processor_takes_nothing_more() -> None:
    desk = Desk(FakeScorer())
    await desk.finish()

    await desk.processor.take(application(0))

    assert len(desk.in_flight) == 0
