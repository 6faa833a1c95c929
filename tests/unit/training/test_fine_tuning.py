"""Fine-tuning on a tiny Gemma: the loss falls, the adapter loads, an interrupted run goes on."""

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from services.contracts.engine_observer import SilentObserver
from services.contracts.scoring import PairRequest
from services.scoring.base_model import BaseModel, BaseModelSpec, load_base_model
from services.scoring.engine_factory import EngineSpec, assemble_engine
from services.scoring.lora_adapter import WEIGHTS_FILE, read_adapter
from services.scoring.prompt import PromptBuilder
from services.scoring.text_encoder import TextEncoder
from training import fine_tuning
from training.dataset import LabelledPair, Pair
from training.fine_tuning import FineTuningConfig, TrainingDiverged, fine_tune
from training.job_groups import build_job_groups

CONFIG = FineTuningConfig(
    rank=4, alpha=8, dropout=0.0, learning_rate=2e-2, epochs=6, groups_per_step=1, max_prompt_tokens=256
)
JOBS = ["A job for a nurse.", "A job for a welder."]


def pairs() -> list[LabelledPair]:
    """Good resumes say yes and bad ones no, in both jobs."""
    return [
        LabelledPair(Pair(1, f"{word} " * 6 + str(number), job, {}), score, "good")
        for job in JOBS
        for number in range(3)
        for word, score in (("yes", 90.0), ("no", 10.0))
    ]


@pytest.fixture
def base(cache_dir: Path) -> BaseModel:
    # Its own copy: peft puts its layers into the model in place.
    return load_base_model(BaseModelSpec("random:tiny-gemma-3", cache_dir, device="cpu", dtype="float32"))


def test_groups_hold_one_job_and_every_pair_once(encoder: TextEncoder) -> None:
    too_long = LabelledPair(Pair(1, "yes", "A job. " * 500, {}), 50.0, "fair")

    groups, num_left_out = build_job_groups([*pairs(), too_long], PromptBuilder(encoder, 256), 4, seed=0)

    assert num_left_out == 1
    assert sorted(len(group.labels) for group in groups) == [2, 2, 4, 4]
    assert len({group.prefix for group in groups}) == 2
    assert sum(len(group.suffixes) for group in groups) == len(pairs())


@pytest.mark.filterwarnings("ignore")  # libraries warn of their own next versions
async def test_a_trained_adapter_tells_the_good_from_the_bad_when_loaded_by_a_scorer(
    base: BaseModel, cache_dir: Path, tmp_path: Path
) -> None:
    folder = fine_tune(base, pairs(), tmp_path / "adapter", CONFIG)

    spec = BaseModelSpec(base.name, cache_dir, device="cpu", dtype="float32")
    gaps = {}
    for adapter in (None, folder):
        engine = assemble_engine(load_base_model(spec), EngineSpec(spec, adapter=adapter), SilentObserver())
        engine.start()
        good = await engine.score(PairRequest("good", JOBS[0], "yes " * 6 + "7"))
        bad = await engine.score(PairRequest("bad", JOBS[0], "no " * 6 + "7"))
        engine.close()
        gaps[good.adapter_digest] = good.score - bad.score
    assert gaps[read_adapter(folder).digest] - gaps["base"] > 15


@pytest.mark.filterwarnings("ignore")
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    base: BaseModel, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = dataclasses.replace(CONFIG, epochs=3, checkpoint_steps=5)
    whole = fine_tune(base, pairs(), tmp_path / "whole", config)

    compute, calls = fine_tuning.ScoreTrainer.compute_loss, []

    def crash_in_the_ninth(self: object, *arguments: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return compute(self, *arguments, **options)

    spec = BaseModelSpec(base.name, cache_dir, device="cpu", dtype="float32")
    monkeypatch.setattr(fine_tuning.ScoreTrainer, "compute_loss", crash_in_the_ninth)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(load_base_model(spec), pairs(), tmp_path / "resumed", config)
    assert not (tmp_path / "resumed" / WEIGHTS_FILE).exists()
    resumed = fine_tune(load_base_model(spec), pairs(), tmp_path / "resumed", config, resume=True)

    expected, found = load_file(whole / WEIGHTS_FILE), load_file(resumed / WEIGHTS_FILE)
    assert expected.keys() == found.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_a_run_that_diverges_stops_with_a_clear_error(base: BaseModel, tmp_path: Path) -> None:
    spoiled = [dataclasses.replace(pair, score=float("nan")) for pair in pairs()]

    with pytest.raises(TrainingDiverged, match="lower learning_rate"):
        fine_tune(base, spoiled, tmp_path / "adapter", CONFIG)
