"""The pairs that benchmarks score, and engines to score them with."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from services.contracts.engine_observer import EngineObserver, SilentObserver
from services.contracts.engine_settings import EngineSettings
from services.contracts.scoring import PairRequest, PairScore
from services.events.wire.message_mapping import job_text
from services.scoring.engine.factory import assemble_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model.loading.base_model import BaseModel
from tests.doubles import texts


@dataclass(frozen=True, slots=True)
class WorkSize:
    """How much is scored in one round.

    Attributes:
        num_jobs: of about 280 tokens.
        num_resumes: of about 300 tokens, for each job.
    """

    num_jobs: int
    num_resumes: int

    @property
    def num_pairs(self) -> int:
        """Returns the pairs of one round."""
        return self.num_jobs * self.num_resumes


def work(size: WorkSize, tag: str) -> list[PairRequest]:
    """Returns invented pairs, jobs in turn; a tag before each job makes its prefix new."""
    jobs, resumes = texts.jobs(size.num_jobs), texts.resumes(size.num_pairs, seed=3)
    return [
        PairRequest(
            f"{tag}-{number}", f"{tag} {job_text('', jobs[number % size.num_jobs].description)}", resume
        )
        for number, resume in enumerate(resumes)
    ]


def fresh_work(size: WorkSize) -> list[PairRequest]:
    """Returns pairs whose job prefixes no cache holds."""
    return work(size, uuid.uuid4().hex[:6])


@contextmanager
def running(
    base: BaseModel, spec: EngineSettings, observer: EngineObserver | None = None
) -> Iterator[ScoringEngine]:
    """Gives a started engine on a base model that no other engine uses, and closes it."""
    engine = assemble_engine(base, spec, observer or SilentObserver())
    engine.start()
    try:
        yield engine
    finally:
        engine.close()


async def score_all(engine: ScoringEngine, requests: Sequence[PairRequest]) -> list[PairScore]:
    """Scores all requests, admitted at once."""
    return list(await asyncio.gather(*map(engine.score, requests)))


async def score_in_order(engine: ScoringEngine, requests: Sequence[PairRequest], num_in_flight: int) -> int:
    """Scores requests as callers would who ask again as soon as they have an answer; returns their number.

    Results are dropped at once, so that memory shows what the engine holds and not what was asked of it.
    """
    waiting = iter(requests)

    async def call() -> None:
        for request in waiting:
            await engine.score(request)

    await asyncio.gather(*(call() for _ in range(num_in_flight)))
    return len(requests)
