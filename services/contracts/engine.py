"""The port through which the worker and the API reach the model."""

from collections.abc import AsyncGenerator
from typing import Protocol

from services.contracts.scoring import PairRequest, PairScore


class PairScorer(Protocol):
    """Scores pairs on its own thread; ``ScoringEngine`` is the real one."""

    @property
    def active_adapter_digest(self) -> str:
        """Digest of the adapter that new requests are computed with, or "base"."""

    @property
    def num_queued(self) -> int:
        """Pairs accepted and not yet computed."""

    async def score(self, request: PairRequest) -> PairScore:
        """Scores one pair; concurrent calls share batches. Cancelling the call withdraws the pair.

        Raises:
            InvalidInput: the texts are empty or the job alone exceeds the length budget.
            EngineOverloaded: the queue is full, or too long for the request's deadline; raised at once.
            EngineClosed: the engine is draining.
            DeadlineExpired: the request's deadline passed before the model was reached.
            ScoringFailed: this pair's forward pass failed.
            TextsUnreadable: reading its texts met a bug.
        """

    def explain(self, request: PairRequest, score: PairScore, max_tokens: int) -> AsyncGenerator[str, None]:
        """Streams whatever the model writes about a scored pair, readable or not; close it to end it early.

        Raises:
            the same as ``score``.
        """

    def seconds_since_progress(self) -> float:
        """Seconds since the model thread last finished something or was idle: liveness."""
