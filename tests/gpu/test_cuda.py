"""The same engine on a CUDA device; run with ``pytest -m gpu`` where there is one."""

import asyncio
from pathlib import Path

import pytest
import torch

from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.scoring import PairRequest, PairScore
from services.scoring.engine.factory import assemble_engine
from services.scoring.model.loading.base_model import load_base_model
from tests.doubles.texts import jobs, resumes

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

REQUESTS = [
    PairRequest(f"a-{n}", jobs(3)[n % 3].description, resume) for n, resume in enumerate(resumes(12, seed=4))
]


async def scores_on(spec: ModelSettings) -> list[PairScore]:
    engine = assemble_engine(
        load_base_model(spec), EngineSettings.of(spec, mask_identity=False), SilentObserver()
    )
    engine.start()
    try:
        return list(await asyncio.gather(*map(engine.score, REQUESTS)))
    finally:
        engine.close()


@pytest.mark.parametrize("name", ["random:tiny-gemma-2", "random:tiny-gemma-3"])
async def test_float32_scores_on_cuda_are_those_of_the_cpu(name: str, cache_dir: Path) -> None:
    on_cpu, on_cuda = [
        await scores_on(
            ModelSettings(
                base_model=name,
                model_cache_dir=cache_dir,
                device=device,
                quantization="none",
                dtype="float32",
            )
        )
        for device in ("cpu", "cuda")
    ]

    assert [s.score for s in on_cuda] == pytest.approx([s.score for s in on_cpu], abs=1e-2)


async def test_nf4_is_the_default_on_cuda_and_gives_whole_distributions(cache_dir: Path) -> None:
    spec = ModelSettings(base_model="gemma-3-270m", model_cache_dir=cache_dir)

    assert load_base_model(spec).quantization == "nf4"
    for score in await scores_on(spec):
        assert sum(score.distribution.probabilities) == pytest.approx(1.0, abs=1e-6)
