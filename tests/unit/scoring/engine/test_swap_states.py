"""Adapter swaps and the prefix cache, in every order that hypothesis can think of.

The model is replaced by one that writes down in a prefix's state which adapter computed it, and that refuses
a state of another one: the mistake that would go unnoticed in real scores.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, cast

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.contracts.adapters import SwitchReport
from services.contracts.engine_observer import SilentObserver
from services.contracts.errors import AdapterIncompatible, ScoringFailed
from services.contracts.scoring import ScoreDistribution
from services.scoring.engine.adapter_switch import AdapterSwitch
from services.scoring.engine.batch_scorer import BatchScorer, LoadedAdapter, ModelIdentity
from services.scoring.engine.prefix_cache import PrefixCache
from services.scoring.model.prefix_state import PrefixState
from services.scoring.model.score_model import ScoreModel, TreeRow
from services.scoring.reading.prompt import Prompt
from services.scoring.reading.score_scale import distribution_from_logits

NUM_ADAPTERS = 4
JOBS, RESUMES = range(5), range(3)
BYTES_OF_ONE_STATE = 2 * 4
CACHE_BYTES = 3 * BYTES_OF_ONE_STATE  # fewer than there are jobs: states are dropped all the time

adapters = st.integers(0, NUM_ADAPTERS - 1)
prompts = st.builds(
    lambda job, resume: Prompt((job,), (100 + resume,), 0, bytes([job])),
    st.sampled_from(JOBS),
    st.sampled_from(RESUMES),
)


class HonestModel:
    """Computes from the active adapter, the job and the resume; fails where it is told to."""

    def __init__(self) -> None:
        self.active = -1
        self.num_failures = 0
        self.lora = self

    def activate(self, weights: int) -> None:
        self.active = weights

    def compute_prefix(self, tokens: tuple[int, ...]) -> PrefixState:
        self._maybe_fail()
        return PrefixState(
            ((torch.tensor([[[[float(tokens[0])]]]]), torch.full((1, 1, 1, 1), float(self.active))),)
        )

    def score_tree_logits(self, rows: Sequence[TreeRow]) -> np.ndarray[Any, Any]:
        self._maybe_fail()
        for row in rows:
            assert row.prefix is not None
            assert int(row.prefix.layers[0][1]) == self.active, "a state that another adapter computed"
        return np.stack([logits(self.active, int(row.prefix.layers[0][0]), row.suffix[0]) for row in rows])

    def _maybe_fail(self) -> None:
        if self.num_failures:
            self.num_failures -= 1
            raise RuntimeError("out of memory")


def logits(adapter: int, job: int, resume: int) -> np.ndarray[Any, Any]:
    generator = np.random.default_rng([adapter, job, resume])
    return generator.normal(size=(11, 11)).astype(np.float32)


def expected(adapter: int, prompt: Prompt) -> ScoreDistribution:
    found = distribution_from_logits(logits(adapter, prompt.prefix[0], prompt.suffix[0]))
    return ScoreDistribution(tuple(found.tolist()))


def loaded(number: int) -> LoadedAdapter:
    return LoadedAdapter(ModelIdentity("base", f"digest-{number}", str(number)), cast(Any, number))


class Swaps(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.model, self.cache = HonestModel(), PrefixCache(CACHE_BYTES)
        self.scorer = BatchScorer(
            cast(ScoreModel, self.model), loaded(0), "padded", self.cache, SilentObserver()
        )
        self.switch = AdapterSwitch(self.scorer, loaded(0))
        self.active = 0
        self.waiting: list[tuple[int, bool, Future[SwitchReport]]] = []

    @rule(batch=st.lists(prompts, min_size=1, max_size=6))
    def score(self, batch: list[Prompt]) -> None:
        outcomes = self.scorer.score(batch).outcomes

        assert outcomes == tuple(expected(self.active, prompt) for prompt in batch)

    @rule(batch=st.lists(prompts, min_size=1, max_size=6), num_failures=st.integers(1, 8))
    def score_while_memory_is_short(self, batch: list[Prompt], num_failures: int) -> None:
        self.model.num_failures = num_failures
        outcomes = self.scorer.score(batch).outcomes
        self.model.num_failures = 0

        for prompt, outcome in zip(batch, outcomes, strict=True):
            assert isinstance(outcome, ScoringFailed) or outcome == expected(self.active, prompt)

    @rule(adapter=adapters, canaries=st.lists(prompts, max_size=3), is_honest=st.booleans())
    def ask_for_a_swap(self, adapter: int, canaries: list[Prompt], is_honest: bool) -> None:
        given = [
            (prompt, expected(adapter, prompt).mean + (0 if is_honest or n < len(canaries) - 1 else 10))
            for n, prompt in enumerate(canaries)
        ]
        done = self.switch.request(loaded(adapter), given)
        self.waiting.append((adapter, is_honest or not canaries, done))

    @rule(is_memory_short=st.booleans())
    def advance(self, is_memory_short: bool) -> None:
        """One canary, or the change itself; what has ended, ended as it had to."""
        # A pass of one pair fails once; so does its prefix, but that is tried twice.
        self.model.num_failures = 2 if is_memory_short else 0
        changed = self.switch.advance()
        self.model.num_failures = 0
        if changed is not None:
            self.active = int(changed.identity.adapter_version)
        while self.waiting and self.waiting[0][2].done():
            adapter, is_good, done = self.waiting.pop(0)
            error = done.exception()
            if error is None:
                assert is_good
                assert self.active == adapter
            else:
                assert isinstance(error, AdapterIncompatible)
                assert not is_good or is_memory_short

    @invariant()
    def the_last_accepted_adapter_is_active(self) -> None:
        assert self.switch.active.identity == loaded(self.active).identity
        assert self.scorer.identity == loaded(self.active).identity
        assert self.model.active == self.active

    @invariant()
    def the_cache_keeps_its_bound(self) -> None:
        assert self.cache.num_bytes == len(self.cache) * BYTES_OF_ONE_STATE <= CACHE_BYTES

    def teardown(self) -> None:
        """Every swap that was asked for comes to an end."""
        while not self.switch.is_idle:
            self.advance(is_memory_short=False)
        assert not self.waiting


TestSwaps = Swaps.TestCase
TestSwaps.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
