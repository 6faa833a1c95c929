"""The engine when the device runs out of memory, or is lost."""

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.errors import EngineClosed, ScoringFailed
from services.contracts.scoring import PairRequest, PairScore
from services.scoring.engine.factory import assemble_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.prefix_state import PrefixState
from services.scoring.model.score_model import ScoreModel, TreeRow

JOBS = ("A nurse for the night.", "A welder of ships.")
PAIRS = [PairRequest(f"a-{n}", JOBS[n % 2], f"Resume {n}. " + "Worked. " * n) for n in range(10)]
MOST_PAIRS_AT_ONCE = 2


@pytest.fixture
def engine(tiny_gemma_3: BaseModel) -> Iterator[ScoringEngine]:
    spec = EngineSettings.of(
        ModelSettings(base_model=tiny_gemma_3.name, model_cache_dir=Path()),
        batching_window_seconds=0.05,
        mask_identity=False,
    )
    built = assemble_engine(tiny_gemma_3, spec.having(batch_layout="padded"), SilentObserver())
    built.start()
    yield built
    built.close(timeout_seconds=10)


async def score_all(engine: ScoringEngine) -> list[PairScore | BaseException]:
    return await asyncio.gather(*map(engine.score, PAIRS), return_exceptions=True)


def scores(outcomes: list[PairScore | BaseException]) -> list[float]:
    return [each.score for each in outcomes if isinstance(each, PairScore)]


async def test_a_batch_that_does_not_fit_is_split_until_it_does(
    engine: ScoringEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = scores(await score_all(engine))
    compute, sizes = ScoreModel.score_tree_logits, []

    def run_out_of_memory(model: ScoreModel, rows: list[TreeRow]) -> object:
        sizes.append(len(rows))
        if len(rows) > MOST_PAIRS_AT_ONCE:
            raise RuntimeError("CUDA out of memory")
        return compute(model, rows)

    monkeypatch.setattr(ScoreModel, "score_tree_logits", run_out_of_memory)
    found = scores(await score_all(engine))

    assert max(sizes) > MOST_PAIRS_AT_ONCE
    assert MOST_PAIRS_AT_ONCE in sizes  # not pair by pair at once
    assert found == pytest.approx(expected, abs=1e-3)


async def test_a_prefix_that_fits_once_the_kept_ones_are_gone_costs_nobody_anything(
    engine: ScoringEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute, calls = ScoreModel.compute_prefix, []

    def fail_once(model: ScoreModel, tokens: tuple[int, ...]) -> PrefixState:
        calls.append(tokens)
        if len(calls) == 1:
            raise MemoryError
        return compute(model, tokens)

    monkeypatch.setattr(ScoreModel, "compute_prefix", fail_once)

    assert len(scores(await score_all(engine))) == len(PAIRS)


async def test_a_job_whose_prefix_never_fits_fails_alone_and_the_engine_lives(
    engine: ScoringEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = ScoreModel.compute_prefix
    failing = engine._reader.read(JOBS[0], "x").prompt.prefix

    def fail_for_one(model: ScoreModel, tokens: tuple[int, ...]) -> PrefixState:
        if tokens == failing:
            raise RuntimeError("CUDA out of memory")
        return compute(model, tokens)

    monkeypatch.setattr(ScoreModel, "compute_prefix", fail_for_one)
    outcomes = await score_all(engine)

    assert [isinstance(each, ScoringFailed) for each in outcomes] == [n % 2 == 0 for n in range(len(PAIRS))]
    score = next(each for each in outcomes if isinstance(each, PairScore))
    with pytest.raises(ScoringFailed):
        async for _ in engine.explain(PAIRS[0], score, 4):
            pass
    assert engine.seconds_since_progress() < math.inf
    assert await engine.score(PAIRS[1])


@pytest.mark.parametrize("step", ["score_tree_logits", "compute_prefix"])
async def test_a_lost_device_ends_the_engine_instead_of_failing_every_pair(
    engine: ScoringEngine, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> object:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(ScoreModel, step, fail)

    assert all(isinstance(each, EngineClosed) for each in await score_all(engine))
    assert engine.seconds_since_progress() == math.inf
