import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from services.contracts.engine_observer import SilentObserver
from services.contracts.errors import AdapterIncompatible
from services.contracts.scoring import PairRequest
from services.scoring.base_model import BaseModel, BaseModelSpec, load_base_model
from services.scoring.engine_factory import EngineSpec, assemble_engine
from services.scoring.lora_adapter import read_adapter
from services.scoring.lora_layers import LoraLayers
from training.lora_setup import TARGET_MODULES


@pytest.fixture
def base(cache_dir: Path) -> BaseModel:
    # Its own copy: layers are put into the model in place.
    return load_base_model(BaseModelSpec("random:tiny-gemma-3", cache_dir, device="cpu", dtype="float32"))


@pytest.fixture
def adapter_folder(cache_dir: Path, tmp_path: Path) -> Path:
    """A random adapter as peft writes it."""
    spec = BaseModelSpec("random:tiny-gemma-3", cache_dir, device="cpu", dtype="float32")
    model = get_peft_model(load_base_model(spec).model, LoraConfig(r=4, target_modules=list(TARGET_MODULES)))
    generator = torch.Generator().manual_seed(7)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


async def test_an_adapter_changes_scores_and_is_named_in_them(base: BaseModel, adapter_folder: Path) -> None:
    spec = EngineSpec(BaseModelSpec(base.name, Path()))
    request = PairRequest("1", "A job for a nurse.", "A nurse.")
    scores = []
    for adapter in (None, adapter_folder):
        engine = assemble_engine(base, EngineSpec(spec.base_model, adapter=adapter), SilentObserver())
        engine.start()
        scores.append(await engine.score(request))
        engine.close()

    plain, adapted = scores
    assert adapted.adapter_digest == read_adapter(adapter_folder).digest
    assert len(adapted.adapter_digest) == 64
    assert abs(adapted.score - plain.score) > 0.1


def test_the_digest_follows_the_weights(adapter_folder: Path) -> None:
    before = read_adapter(adapter_folder).digest
    weights = load_file(adapter_folder / "adapter_model.safetensors")
    next(iter(weights.values())).add_(1e-3)
    save_file(weights, adapter_folder / "adapter_model.safetensors")

    assert read_adapter(adapter_folder).digest != before


def test_a_missing_file_is_named(adapter_folder: Path) -> None:
    (adapter_folder / "adapter_config.json").unlink()

    with pytest.raises(AdapterIncompatible, match=r"adapter_config\.json is missing"):
        read_adapter(adapter_folder)


def test_another_prompt_version_is_refused(adapter_folder: Path) -> None:
    (adapter_folder / "training_metadata.json").write_text(json.dumps({"prompt_version": "0"}))

    with pytest.raises(AdapterIncompatible, match="prompt version 0"):
        read_adapter(adapter_folder)


def test_another_base_model_is_refused(base: BaseModel, adapter_folder: Path) -> None:
    (adapter_folder / "training_metadata.json").write_text(json.dumps({"base_model_digest": "f" * 64}))

    with pytest.raises(AdapterIncompatible, match="base model with digest ffffffffffff"):
        LoraLayers(base).load(read_adapter(adapter_folder))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (
            lambda weights: {k.replace("layers.0", "layers.9"): v for k, v in weights.items()},
            "has no layer for",
        ),
        (
            lambda weights: {k: torch.cat([v, v], dim=-1).contiguous() for k, v in weights.items()},
            "wrong shape",
        ),
        (lambda weights: {k: v * float("nan") for k, v in weights.items()}, "not finite"),
    ],
)
def test_weights_that_do_not_fit_are_refused_before_any_layer_changes(
    base: BaseModel, adapter_folder: Path, spoil: object, complaint: str
) -> None:
    weights = load_file(adapter_folder / "adapter_model.safetensors")
    save_file(spoil(weights), adapter_folder / "adapter_model.safetensors")  # type: ignore[operator]
    modules = [type(module) for module in base.model.modules()]

    with pytest.raises(AdapterIncompatible, match=complaint):
        LoraLayers(base).load(read_adapter(adapter_folder))

    assert [type(module) for module in base.model.modules()] == modules


def test_a_damaged_file_is_refused(base: BaseModel, adapter_folder: Path) -> None:
    path = adapter_folder / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:100])

    with pytest.raises(AdapterIncompatible, match="is damaged"):
        LoraLayers(base).load(read_adapter(adapter_folder))
