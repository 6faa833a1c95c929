"""A planted worse adapter: random LoRA weights, really compared with the active one, are refused."""

import asyncio
import json
from pathlib import Path

import pytest

from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.scoring import PairRequest
from services.process.settings import Settings
from services.rollout.administration import open_store
from services.scoring.engine.factory import build_engine
from services.training_service.runs.run_store import Request, RunState
from tests.doubles.adapters import make_adapter
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.models import tiny_settings
from tests.doubles.trainer import (
    TrainerDesk,
    fake_training,
    running_trainer,
    trainer_settings,
)
from training.comparison import compare_adapters
from training.pairs.dataset import LabelledPair, Pair

pytestmark = pytest.mark.slow

NUM_PAIRS = 12


def pairs() -> list[Pair]:
    return [
        Pair(number, f"Nurse of {number} years on ward {number}.", "We look for a nurse.", {})
        for number in range(NUM_PAIRS)
    ]


async def labelled_by(base: ModelSettings, unlabelled: list[Pair]) -> list[LabelledPair]:
    """Returns the pairs with the base model's own scores as labels, on which nothing does better."""
    engine = build_engine(EngineSettings.of(base, mask_identity=False))
    engine.start()
    try:
        requests = (PairRequest(str(pair.row), pair.job_description, pair.resume) for pair in unlabelled)
        scores = await asyncio.gather(*(engine.score(request) for request in requests))
    finally:
        await asyncio.to_thread(engine.close, 20)
    return [
        LabelledPair(pair, score.score, score.category)
        for pair, score in zip(unlabelled, scores, strict=True)
    ]


async def test_random_weights_are_refused_and_nothing_is_published(
    settings: Settings, desk: KafkaDesk, cache_dir: Path, tmp_path: Path
) -> None:
    base = tiny_settings(cache_dir)
    planted = make_adapter(tmp_path / "planted", cache_dir, seed=3)
    labelled = await labelled_by(base, pairs())
    comparison = await asyncio.to_thread(
        compare_adapters,
        base,
        None,
        planted,
        labelled,
        max_prompt_tokens=2048,
        is_identity_masked=True,
        progress=lambda _: None,
    )
    assert comparison.num_pairs == NUM_PAIRS
    assert comparison.active.mean_absolute_error < 1e-6
    path = tmp_path / "comparison.json"
    comparison.write(path)

    trainer = TrainerDesk(trainer_settings(settings, tmp_path), desk)
    async with running_trainer(trainer.settings, fake_training(planted, "--comparison", str(path))):
        trainer.runs.request(Request.TRAIN)
        run = await trainer.ended_run(1)
    trainer.close()

    assert run.state is RunState.REJECTED
    assert "mean_absolute_error" in run.message
    gate = json.loads((trainer.folder(1) / "gate.json").read_text())
    assert gate["comparison"] == json.loads(path.read_text())
    assert open_store(trainer.settings).versions() == []
