"""Passes that can wait: those of explanations go in one by one, when no other caller's pair waits."""

import asyncio
from collections.abc import AsyncGenerator

from services.contracts.engine import PairScorer
from services.contracts.scoring import PairRequest, PairScore

POLL_SECONDS = 0.01


class PatientScorer:
    """A ``PairScorer`` that lets everybody else go first; for one event loop.

    One pair is in flight at a time, so that a score finds itself behind one pass of explanations at
    most. While pairs are queued without end, none starts: their deadline ends them.

    Args:
        scorer: the model, shared with those who do not wait.
    """

    def __init__(self, scorer: PairScorer) -> None:
        self._scorer = scorer
        self._turn = asyncio.Lock()

    @property
    def active_adapter_digest(self) -> str:
        """See ``PairScorer``."""
        return self._scorer.active_adapter_digest

    @property
    def num_queued(self) -> int:
        """See ``PairScorer``."""
        return self._scorer.num_queued

    async def score(self, request: PairRequest) -> PairScore:
        """Scores one pair once there is nothing else to do; otherwise as ``PairScorer.score``."""
        async with self._turn:
            while self._scorer.num_queued:
                await asyncio.sleep(POLL_SECONDS)
            return await self._scorer.score(request)

    def explain(self, request: PairRequest, score: PairScore, max_tokens: int) -> AsyncGenerator[str, None]:
        """See ``PairScorer``."""
        return self._scorer.explain(request, score, max_tokens)

    def seconds_since_progress(self) -> float:
        """See ``PairScorer``."""
        return self._scorer.seconds_since_progress()
