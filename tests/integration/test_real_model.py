"""The real Gemma 3 270M on the main path: tokenizer, weights, bfloat16, NF4, and what batching does."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.scoring import PairRequest, PairScore
from services.devkit.samples import SamplePair, load_samples
from services.scoring.engine.factory import assemble_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model.loading.base_model import BaseModel, load_base_model
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.score_scale import find_score_tokens
from services.scoring.reading.text_encoder import TextEncoder

pytestmark = pytest.mark.slow

# Measured over the six samples on a CPU: see docs/numerics.md for the figures behind this bound.
MAX_BF16_SPREAD_POINTS = 2.0


@pytest.fixture(scope="module")
def gemma(cache_dir: Path) -> BaseModel:
    return load_base_model(
        ModelSettings(base_model="gemma-3-270m", model_cache_dir=cache_dir, device="cpu", dtype="bfloat16")
    )


@pytest.fixture(scope="module")
def gemma_nf4(cache_dir: Path) -> BaseModel:
    return load_base_model(
        ModelSettings(base_model="gemma-3-270m", model_cache_dir=cache_dir, device="cpu", quantization="nf4")
    )


@pytest.fixture(scope="module")
def requests() -> list[PairRequest]:
    return [request_of(sample) for sample in load_samples()]


def request_of(sample: SamplePair) -> PairRequest:
    return PairRequest(sample.application_id, sample.job_description, sample.resume)


class RunningEngine:
    """An engine for the length of a block."""

    def __init__(self, base: BaseModel, layout: Literal["padded", "sequential"]) -> None:
        spec = EngineSettings.of(
            ModelSettings(base_model=base.name, model_cache_dir=Path()),
            batch_layout=layout,
            mask_identity=False,
        )
        self._engine = assemble_engine(base, spec, SilentObserver())

    def __enter__(self) -> ScoringEngine:
        self._engine.start()
        return self._engine

    def __exit__(self, *_: object) -> None:
        self._engine.close()


# Seconds a pair on some machines: each is computed once for all tests.
@pytest.fixture(scope="module")
def alone(gemma: BaseModel, requests: list[PairRequest]) -> list[PairScore]:
    """The scores of the samples, each computed by itself."""
    return scores_of(gemma, "sequential", requests)


@pytest.fixture(scope="module")
def together(gemma: BaseModel, requests: list[PairRequest]) -> list[PairScore]:
    """The scores of the samples, twice, in full batches."""
    return scores_of(gemma, "padded", requests * 2)


def scores_of(
    base: BaseModel, layout: Literal["padded", "sequential"], requests: list[PairRequest]
) -> list[PairScore]:
    async def score_all() -> list[PairScore]:
        with RunningEngine(base, layout) as engine:
            return await asyncio.gather(*map(engine.score, requests))

    return asyncio.run(score_all())


def test_the_model_continues_sensibly(gemma: BaseModel) -> None:
    encoder = TextEncoder(gemma.tokenizer)
    model = ScoreModel(gemma, find_score_tokens(encoder))

    def continuation(tokens: list[int]) -> Iterator[int]:
        cache = None
        for _ in range(8):
            token, cache = model.continue_greedily(tokens, cache)
            yield token
            tokens = [token]

    tokens = encoder.encode_template("<bos>The Eiffel Tower stands in the city of")
    assert "Paris" in encoder.decode(list(continuation(tokens)))


async def test_every_sample_gets_a_whole_distribution(
    together: list[PairScore], requests: list[PairRequest]
) -> None:
    for result in together:
        assert sum(result.distribution.probabilities) == pytest.approx(1.0, abs=1e-6)
        assert min(result.distribution.probabilities) >= 0
        assert result.num_prompt_tokens > 500
        assert result.num_truncated_tokens == 0
    assert len({result.score for result in together[: len(requests)]}) == len(requests)


async def test_the_spread_between_batches_in_bfloat16_stays_small(
    alone: list[PairScore], together: list[PairScore]
) -> None:
    spread = max(abs(a.score - b.score) for a, b in zip(alone * 2, together, strict=True))
    assert spread < MAX_BF16_SPREAD_POINTS


async def test_nf4_computes_with_a_quarter_of_the_weights(
    gemma_nf4: BaseModel, alone: list[PairScore], requests: list[PairRequest]
) -> None:
    from bitsandbytes.nn import Linear4bit

    quantised = [module for module in gemma_nf4.model.modules() if isinstance(module, Linear4bit)]
    assert len(quantised) == 18 * 7
    for layer in quantised:
        assert layer.weight.quant_type == "nf4"
        assert layer.weight.quant_state.nested  # double quantisation
        assert layer.weight.data.numel() == layer.in_features * layer.out_features // 2

    with RunningEngine(gemma_nf4, "padded") as engine:
        result = await engine.score(requests[0])
    assert sum(result.distribution.probabilities) == pytest.approx(1.0, abs=1e-6)
    assert 0 < abs(result.score - alone[0].score) < 25
