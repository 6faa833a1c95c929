"""Fine-tuning on a tiny Gemma: the loss falls, the adapter loads, an interrupted run goes on."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from services.adapters.adapter_folder import METADATA_FILE, WEIGHTS_FILE, read_adapter
from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings
from services.contracts.errors import AdapterIncompatible, InvalidInput
from services.contracts.scoring import PairRequest
from services.scoring.engine.factory import assemble_engine
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.score_model import ScoreModel
from tests.doubles.models import TINY_GEMMA_2, load_tiny, tiny_settings
from tests.unit.training.learnable_pairs import CONFIG, JOBS, learnable_pairs
from training.learning.fine_tuning import TrainingData, TrainingOutOfMemory, fine_tune
from training.learning.heap_trim import HeapTrim
from training.learning.score_trainer import ScoreTrainer, TrainingDiverged
from training.pairs.dataset import LabelledPair

# Libraries warn of their own next versions.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / WEIGHTS_FILE)


def train(base: BaseModel, folder: Path, pairs: list[LabelledPair] | None = None, **changes: object) -> Path:
    config = dataclasses.replace(CONFIG, **changes)
    return fine_tune(base, TrainingData(pairs or learnable_pairs()), folder, config).folder


def metadata_of(folder: Path) -> dict[str, object]:
    metadata: dict[str, object] = json.loads((folder / METADATA_FILE).read_text("utf-8"))
    return metadata


async def test_a_trained_adapter_tells_the_good_from_the_bad_when_loaded_by_a_scorer(
    base: BaseModel, cache_dir: Path, tmp_path: Path
) -> None:
    folder = train(base, tmp_path / "adapter")

    spec = tiny_settings(cache_dir, base.name)
    gaps = {}
    for adapter in (None, folder):
        engine = assemble_engine(
            load_tiny(cache_dir, base.name),
            EngineSettings.of(spec, adapter=adapter, mask_identity=False),
            SilentObserver(),
        )
        engine.start()
        good = await engine.score(PairRequest("good", JOBS[0], "yes " * 6 + "7"))
        bad = await engine.score(PairRequest("bad", JOBS[0], "no " * 6 + "7"))
        engine.close()
        gaps[good.adapter_digest] = good.score - bad.score
    assert gaps[read_adapter(folder).digest] - gaps["base"] > 15


def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    base: BaseModel, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given everything that draws random numbers or keeps a count
    changes = {
        "epochs": 3.0,
        "checkpoint_steps": 5,
        "dropout": 0.2,
        "augmentation_share": 0.5,
        "validation_share": 0.5,
    }
    whole = train(base, tmp_path / "whole", **changes)
    compute, calls = ScoreTrainer.compute_loss, []

    def crash_in_the_sixth_pass(
        self: ScoreTrainer, model: torch.nn.Module, *rest: object, **options: object
    ) -> object:
        calls.extend([1] if model.training else [])
        if len(calls) == 6:
            raise KeyboardInterrupt
        return compute(self, model, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(ScoreTrainer, "compute_loss", crash_in_the_sixth_pass)
        with pytest.raises(KeyboardInterrupt):
            train(load_tiny(cache_dir, base.name), tmp_path / "resumed", **changes)
    assert not (tmp_path / "resumed" / WEIGHTS_FILE).exists()

    config = dataclasses.replace(CONFIG, **changes)
    resumed = fine_tune(
        load_tiny(cache_dir, base.name),
        TrainingData(learnable_pairs()),
        tmp_path / "resumed",
        config,
        resume=True,
    )

    expected, found = weights_of(whole), weights_of(resumed.folder)
    assert expected.keys() == found.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-6)


def test_the_best_checkpoint_is_exported_not_the_last(
    base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a validation loss that rises after the second evaluation
    losses = iter([3.0, 1.0, *([5.0] * 100)])
    monkeypatch.setattr(
        ScoreTrainer,
        "prediction_step",
        lambda self, model, inputs, *_, **__: (torch.tensor(self.fixed_loss), None, None),
    )
    evaluate = ScoreTrainer.evaluate

    def evaluate_with_the_next(self: ScoreTrainer, *arguments: object, **options: object) -> object:
        self.fixed_loss = next(losses)
        return evaluate(self, *arguments, **options)

    monkeypatch.setattr(ScoreTrainer, "evaluate", evaluate_with_the_next)
    config = dataclasses.replace(
        CONFIG, validation_share=0.5, checkpoint_steps=2, epochs=20, early_stopping_patience=3
    )

    result = fine_tune(base, TrainingData(learnable_pairs()), tmp_path / "adapter", config)

    # then patience ends the run three evaluations behind the best one, whose weights are what is written
    assert (result.num_steps, result.validation_loss) == (10, 1.0)
    history = [entry for entry in metadata_of(result.folder)["history"] if "eval_loss" in entry]  # type: ignore[attr-defined]
    assert [entry["step"] for entry in history] == [2, 4, 6, 8, 10]
    best = load_file(tmp_path / "adapter" / "checkpoints" / "checkpoint-4" / WEIGHTS_FILE)
    for name, tensor in weights_of(result.folder).items():
        torch.testing.assert_close(tensor, best[name])


def test_without_patience_a_run_goes_to_its_end(base: BaseModel, tmp_path: Path) -> None:
    config = dataclasses.replace(
        CONFIG,
        validation_share=0.5,
        checkpoint_steps=1,
        epochs=8,
        early_stopping_patience=0,
        learning_rate=0.3,
    )

    result = fine_tune(base, TrainingData(learnable_pairs()), tmp_path / "adapter", config)

    assert result.num_steps == 16
    assert result.metrics["num_pairs"] == 6


@pytest.mark.parametrize("name", ["tiny-gemma-2", "tiny-gemma-3"])
def test_gradient_checkpointing_and_shared_prefixes_train_the_same_adapter(
    name: str, cache_dir: Path, tmp_path: Path
) -> None:

    plain = train(
        load_tiny(cache_dir, f"random:{name}"), tmp_path / "plain", epochs=1.0, gradient_checkpointing="off"
    )
    checkpointed = train(
        load_tiny(cache_dir, f"random:{name}"), tmp_path / "saving", epochs=1.0, gradient_checkpointing="on"
    )

    for tensor_name, tensor in weights_of(plain).items():
        torch.testing.assert_close(weights_of(checkpointed)[tensor_name], tensor, rtol=1e-3, atol=1e-5)


def test_gradient_checkpointing_computes_layers_again(
    base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a checkpointed layer's forward runs twice: once forward, once in the backward pass
    layer = type(base.model.model.layers[0])
    forward, counts = layer.forward, {}

    def counted(self: object, *arguments: object, **options: object) -> object:
        counts[mode] = counts.get(mode, 0) + 1
        return forward(self, *arguments, **options)

    monkeypatch.setattr(layer, "forward", counted)
    for mode in ("off", "on"):
        train(base, tmp_path / mode, epochs=1.0, gradient_checkpointing=mode)

    assert counts["on"] == counts["off"]  # off: prefix and suffix pass; on: one pass, computed twice


def test_a_run_that_diverges_stops_with_a_clear_error(base: BaseModel, tmp_path: Path) -> None:
    spoiled = [dataclasses.replace(pair, score=float("nan")) for pair in learnable_pairs()]

    with pytest.raises(TrainingDiverged, match="lower learning_rate"):
        train(base, tmp_path / "adapter", spoiled)
    assert not (tmp_path / "adapter" / WEIGHTS_FILE).exists()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9e12 bytes"),
    ],
)
def test_out_of_memory_names_the_two_settings_to_lower(
    error: Exception, base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(ScoreModel, "differentiable_tree_logits", fail)

    with pytest.raises(TrainingOutOfMemory, match=r"batch_size \(now 4\) or max_prompt_tokens \(now 256\)"):
        train(base, tmp_path / "adapter")


def test_another_runtime_error_is_not_called_out_of_memory(
    base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(ScoreModel, "differentiable_tree_logits", fail)

    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(base, tmp_path / "adapter")


def test_a_run_goes_on_from_an_initial_adapter(base: BaseModel, tmp_path: Path) -> None:
    first = train(base, tmp_path / "first")
    config = dataclasses.replace(CONFIG, epochs=0.1, learning_rate=1e-9, rank=CONFIG.rank * 2)

    data = TrainingData(learnable_pairs(), initial_adapter=first)
    told: list[str] = []
    second = fine_tune(base, data, tmp_path / "second", config, progress=told.append).folder

    rank = CONFIG.rank
    assert any(f"the initial adapter's rank {rank}," in line and "first_layer" in line for line in told)
    for name, tensor in weights_of(first).items():
        torch.testing.assert_close(weights_of(second)[name], tensor, rtol=1e-3, atol=1e-5)


def test_an_initial_adapter_of_another_base_model_is_refused(
    base: BaseModel, cache_dir: Path, tmp_path: Path
) -> None:
    first = train(base, tmp_path / "first", epochs=0.1)
    other = load_tiny(cache_dir, TINY_GEMMA_2)

    with pytest.raises(AdapterIncompatible, match="another base model|with digest"):
        fine_tune(other, TrainingData(learnable_pairs(), initial_adapter=first), tmp_path / "second", CONFIG)


def test_the_base_model_comes_back_without_the_adapter(base: BaseModel, tmp_path: Path) -> None:
    before = set(base.model.state_dict())

    train(base, tmp_path / "adapter", epochs=0.5)

    assert set(base.model.state_dict()) == before


def test_pairs_of_which_none_can_be_read_are_an_error(base: BaseModel, tmp_path: Path) -> None:
    unreadable = [
        dataclasses.replace(pair, pair=dataclasses.replace(pair.pair, job_description="\u200b"))
        for pair in learnable_pairs()
    ]

    with pytest.raises(InvalidInput, match="no pair that fits"):
        train(base, tmp_path / "adapter", unreadable)


def test_progress_is_told_and_written_for_tensorboard(base: BaseModel, tmp_path: Path) -> None:
    lines: list[str] = []
    config = dataclasses.replace(CONFIG, validation_share=0.5, checkpoint_steps=2, tensorboard=True)

    fine_tune(base, TrainingData(learnable_pairs()), tmp_path / "adapter", config, progress=lines.append)

    assert any("loss" in line and "learning rate" in line for line in lines)
    assert any("validation loss" in line for line in lines)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "adapter" / "tensorboard")).Reload()
    assert {"train/loss", "eval/loss"} <= set(events.Tags()["scalars"])


def test_a_run_on_a_cpu_returns_freed_memory(
    base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    monkeypatch.setattr(
        HeapTrim,
        "on_step_end",
        lambda _self, _args, state, *_, **__: steps.append(state.global_step),
    )
    train(base, tmp_path / "adapter", epochs=2.0)

    assert steps == list(range(1, len(steps) + 1))
    assert steps


def test_nf4_weights_stay_and_the_adapter_learns(cache_dir: Path, tmp_path: Path) -> None:
    base = load_tiny(cache_dir, quantization="nf4", dtype="auto")
    layer = base.model.model.layers[0].mlp.gate_proj
    before = layer.weight.data.clone()

    folder = train(base, tmp_path / "adapter", epochs=2.0)

    assert layer.weight.dtype == torch.uint8
    assert torch.equal(layer.weight.data, before)
    assert any(tensor.any() for name, tensor in weights_of(folder).items() if "lora_B" in name)
    assert metadata_of(folder)["base_model_quantization"] == "nf4"
