"""A deterministic PairScorer without a model, for tests of what surrounds the engine."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator

from services.contracts.scoring import (
    BASE_ADAPTER_DIGEST,
    NUM_SCORES,
    PairRequest,
    PairScore,
    ScoreDistribution,
)


class FakeScorer:
    """Gives every pair a score that depends on its texts alone.

    Attributes:
        failures: what to raise for a resume that holds the key.
        delay_seconds: how long each score takes.
        scored: ids in the order in which they were scored.
    """

    active_adapter_digest = BASE_ADAPTER_DIGEST
    num_queued = 0

    def __init__(self, delay_seconds: float = 0.0) -> None:
        self.delay_seconds = delay_seconds
        self.failures: dict[str, Exception] = {}
        self.scored: list[str] = []

    async def score(self, request: PairRequest) -> PairScore:
        await asyncio.sleep(self.delay_seconds)
        for mark, failure in self.failures.items():
            if mark in request.resume:
                raise failure
        self.scored.append(request.request_id)
        return fake_score(request)

    async def explain(
        self, request: PairRequest, score: PairScore, max_tokens: int
    ) -> AsyncGenerator[str, None]:
        for word in ("Five", " years", " of surgery.", " No", " nights", " so far."):
            yield word

    def seconds_since_progress(self) -> float:
        return 0.0


class GatedScorer(FakeScorer):
    """Holds every pair until the gate opens.

    Attributes:
        gate: lets pairs through while set.
        entered: ids that came in.
        withdrawn: ids whose caller left.
        deadlines: of the pairs that came in.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.entered: list[str] = []
        self.withdrawn: list[str] = []
        self.deadlines: list[float | None] = []

    async def score(self, request: PairRequest) -> PairScore:
        self.entered.append(request.request_id)
        self.deadlines.append(request.deadline)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.withdrawn.append(request.request_id)
            raise
        return await super().score(request)

    async def until_entered(self, num: int) -> None:
        """Returns when so many pairs have come in."""
        async with asyncio.timeout(5):
            while len(self.entered) < num:
                await asyncio.sleep(0.005)


def fake_score(request: PairRequest) -> PairScore:
    """Returns the score that FakeScorer gives."""
    digest = hashlib.sha256(f"{request.job_description}\0{request.resume}".encode()).digest()
    at = int.from_bytes(digest[:4], "big") % NUM_SCORES
    probabilities = tuple(1.0 if score == at else 0.0 for score in range(NUM_SCORES))
    return PairScore(
        request_id=request.request_id,
        distribution=ScoreDistribution(probabilities),
        adapter_digest=BASE_ADAPTER_DIGEST,
        adapter_version="",
        base_model="fake",
        prompt_version="fake",
        num_prompt_tokens=1,
        num_truncated_tokens=0,
    )
