"""Computes one batch of prompts: prefixes, forward pass, read-out. Owned by the model thread."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.contracts.engine_observer import EngineObserver
from services.contracts.errors import ScoringFailed
from services.contracts.reading import PLAIN_RULES, PROMPT_VERSION, ReadingRules
from services.contracts.reference import ReferenceFigures
from services.contracts.scoring import NO_KNOWLEDGE, PairScore, ScoreDistribution, StageSeconds
from services.scoring.engine.pair_queue import WaitingPair
from services.scoring.engine.prefix_cache import PrefixCache, PrefixKey
from services.scoring.engine.warning_flags import warning_flags
from services.scoring.model.device_errors import PASS_ERRORS, raise_if_device_is_lost
from services.scoring.model.lora_layers import LoraWeights
from services.scoring.model.prefix_state import PrefixState
from services.scoring.model.score_model import ScoreModel, TreeRow
from services.scoring.reading.prompt import Prompt
from services.scoring.reading.score_scale import NUM_TREE_NODES, distribution_from_logits
from services.scoring.reading.texts.legibility import UNREADABLE_TEXT

log = logging.getLogger(__name__)

Logits = NDArray[np.float32]
PassError = RuntimeError | MemoryError


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What every result names as its origin.

    Attributes:
        base_model: name of the base model.
        adapter_digest: of the adapter, or "base".
        adapter_version: of the adapter; empty without one.
    """

    base_model: str
    adapter_digest: str
    adapter_version: str


@dataclass(frozen=True, slots=True)
class LoadedAdapter:
    """An adapter whose weights lie on the device, or none.

    Attributes:
        identity: what results computed with it name.
        weights: its factors, or None for the base model alone.
        reference: what its scores and prompts looked like in training, or None where unknown.
        rules: by which its trainer read.
    """

    identity: ModelIdentity
    weights: LoraWeights | None
    reference: ReferenceFigures | None = None
    rules: ReadingRules = PLAIN_RULES


@dataclass(frozen=True, slots=True)
class ScoredBatch:
    """What came of one batch.

    Attributes:
        outcomes: for each prompt its distribution, or the error that this prompt alone met with.
        prefix_hits: for each prompt whether its prefix was at hand.
        num_tokens: tokens that went through the model, padding included.
        num_padding_tokens: how many of them were padding.
        forward_seconds: time in the model.
        readout_seconds: time from logits to distributions.
    """

    outcomes: tuple[ScoreDistribution | ScoringFailed, ...]
    prefix_hits: tuple[bool, ...]
    num_tokens: int
    num_padding_tokens: int
    forward_seconds: float
    readout_seconds: float


class BatchScorer:
    """Scores batches with one model and one adapter at a time.

    Args:
        adapter: the adapter to begin with.
        layout: ``padded`` computes a batch in one forward pass; ``sequential`` computes each pair by itself,
            so that its bits depend on nothing but the pair.
    """

    def __init__(
        self,
        model: ScoreModel,
        adapter: LoadedAdapter,
        layout: Literal["padded", "sequential"],
        cache: PrefixCache,
        observer: EngineObserver,
    ) -> None:
        self.model = model
        self.use(adapter)
        self._layout = layout
        self._cache = cache
        self._observer = observer

    def use(self, adapter: LoadedAdapter) -> None:
        """Computes with this adapter from now on; prefixes are kept apart by its digest."""
        self.model.lora.activate(adapter.weights)
        self.adapter = adapter
        self.identity = adapter.identity

    def is_prefix_cached(self, prefix_digest: bytes) -> bool:
        """Returns whether a prefix need not be computed."""
        return self._key(prefix_digest) in self._cache

    def prefix_state(self, prompt: Prompt) -> PrefixState:
        """Returns the state of a prompt's prefix from the cache, or computes and keeps it."""
        return self._find_or_compute(prompt)[0]

    def score(self, prompts: Sequence[Prompt]) -> ScoredBatch:
        """Scores prompts.

        A failing pass is repeated in halves, so that what is too much at once is computed bit by bit, and one
        bad pair does not take the others with it.
        """
        started = time.monotonic()
        states: dict[bytes, PrefixState | PassError] = {}
        hits = []
        for prompt in prompts:
            is_hit = prompt.prefix_digest in states
            if not is_hit:
                states[prompt.prefix_digest], is_hit = self._try_prefix(prompt)
            hits.append(is_hit)
            self._observer.on_prefix(is_hit)
        self._observer.on_prefix_cache_changed(self._cache.num_bytes)
        found = [states[prompt.prefix_digest] for prompt in prompts]
        rows = [
            TreeRow(state, prompt.suffix)
            for prompt, state in zip(prompts, found, strict=True)
            if isinstance(state, PrefixState)
        ]
        logits = iter(self._forward(rows))
        forwarded = time.monotonic()
        outcomes = tuple(
            _read_out(next(logits) if isinstance(state, PrefixState) else state) for state in found
        )
        num_real = sum(len(row.suffix) + NUM_TREE_NODES for row in rows)
        num_padding = 0 if self._layout == "sequential" else _padding(rows)
        computed = [prompt.prefix for prompt, is_hit in zip(prompts, hits, strict=True) if not is_hit]
        return ScoredBatch(
            outcomes=outcomes,
            prefix_hits=tuple(hits),
            num_tokens=num_real + num_padding + sum(map(len, computed)),
            num_padding_tokens=num_padding,
            forward_seconds=forwarded - started,
            readout_seconds=time.monotonic() - forwarded,
        )

    def _key(self, prefix_digest: bytes) -> PrefixKey:
        return PrefixKey(self.identity.adapter_digest, PROMPT_VERSION, prefix_digest)

    def _find_or_compute(self, prompt: Prompt) -> tuple[PrefixState, bool]:
        key = self._key(prompt.prefix_digest)
        state = self._cache.find(key)
        if state is not None:
            return state, True
        state = self.model.compute_prefix(prompt.prefix)
        self._cache.keep(key, state)
        return state, False

    def _try_prefix(self, prompt: Prompt) -> tuple[PrefixState | PassError, bool]:
        failure = None
        for _ in range(2):
            try:
                return self._find_or_compute(prompt)
            except PASS_ERRORS as error:
                raise_if_device_is_lost(error)
                failure = error.with_traceback(None)
            # Kept states are what memory can be had from; without them this one may fit.
            log.warning("a prefix failed (%s); dropping the kept ones", type(failure).__name__)
            self._cache.clear()
        assert failure is not None
        return failure, False

    def _forward(self, rows: Sequence[TreeRow]) -> list[Logits | PassError]:
        if not rows:
            return []
        if self._layout == "sequential" or len(rows) == 1:
            return [self._forward_alone(row) for row in rows]
        try:
            return list(self.model.score_tree_logits(rows))
        except PASS_ERRORS as error:
            raise_if_device_is_lost(error)
            log.warning(
                "a batch of %d pairs failed (%s); repeating it in halves", len(rows), type(error).__name__
            )
        # Outside of the handler: the error's frames hold the tensors of the failed pass.
        half = len(rows) // 2
        return self._forward(rows[:half]) + self._forward(rows[half:])

    def _forward_alone(self, row: TreeRow) -> Logits | PassError:
        try:
            logits: Logits = self.model.score_tree_logits([row])[0]
        except PASS_ERRORS as error:
            raise_if_device_is_lost(error)
            return error.with_traceback(None)
        return logits


def _read_out(logits: Logits | PassError) -> ScoreDistribution | ScoringFailed:
    if isinstance(logits, PASS_ERRORS):
        failure = ScoringFailed(f"the forward pass failed ({type(logits).__name__})")
        failure.__cause__ = logits
        return failure
    if not np.isfinite(logits).all():
        return ScoringFailed("the model's logits are not finite")
    return ScoreDistribution(tuple(distribution_from_logits(logits).tolist()))


def _padding(rows: Sequence[TreeRow]) -> int:
    longest = max((len(row.suffix) for row in rows), default=0)
    return sum(longest - len(row.suffix) for row in rows)


def build_pair_score(
    pair: WaitingPair,
    distribution: ScoreDistribution,
    adapter: LoadedAdapter,
    seconds: StageSeconds,
    *,
    is_prefix_cached: bool,
) -> PairScore:
    """Puts the result of one pair together; of a text that cannot be read, nothing is known."""
    if UNREADABLE_TEXT in pair.read.flags:
        distribution = NO_KNOWLEDGE
    identity = adapter.identity
    return PairScore(
        request_id=pair.request.request_id,
        distribution=distribution,
        adapter_digest=identity.adapter_digest,
        adapter_version=identity.adapter_version,
        base_model=identity.base_model,
        prompt_version=PROMPT_VERSION,
        num_prompt_tokens=pair.prompt.num_tokens,
        num_truncated_tokens=pair.prompt.num_truncated_tokens,
        num_job_truncated_tokens=pair.prompt.num_job_truncated_tokens,
        flags=warning_flags(distribution, pair.prompt, adapter.reference) + pair.read.flags,
        is_identity_masked=pair.rules.is_identity_masked,
        reading=pair.read.reading,
        seconds=seconds,
        is_prefix_cached=is_prefix_cached,
    )
