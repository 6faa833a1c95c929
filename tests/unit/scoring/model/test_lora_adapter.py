import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import AdaLoraConfig, LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

from services.adapters.adapter_folder import WEIGHTS_FILE, read_adapter
from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.errors import AdapterIncompatible
from services.contracts.scoring import PairRequest
from services.scoring.engine.factory import assemble_engine
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.loading.families import TARGET_MODULES
from services.scoring.model.lora_layers import LoraLayers
from tests.doubles.models import load_tiny


@pytest.fixture
def base(cache_dir: Path) -> BaseModel:
    # Its own copy: layers are put into the model in place.
    return load_tiny(cache_dir)


@pytest.fixture
def adapter_folder(cache_dir: Path, tmp_path: Path) -> Path:
    """A random adapter as peft writes it."""
    model = get_peft_model(load_tiny(cache_dir).model, LoraConfig(r=4, target_modules=list(TARGET_MODULES)))
    generator = torch.Generator().manual_seed(7)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


async def test_an_adapter_changes_scores_and_is_named_in_them(base: BaseModel, adapter_folder: Path) -> None:
    spec = EngineSettings.of(ModelSettings(base_model=base.name, model_cache_dir=Path()), mask_identity=False)
    request = PairRequest("1", "A job for a nurse.", "A nurse.")
    scores = []
    for adapter in (None, adapter_folder):
        engine = assemble_engine(
            base, EngineSettings.of(spec, adapter=adapter, mask_identity=False), SilentObserver()
        )
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


OTHER_METHODS = {
    "use_dora": {"use_dora": True},
    "rank_pattern": {"rank_pattern": {"q_proj": 2}},
    "alpha_pattern": {"alpha_pattern": {"q_proj": 2}},
    "modules_to_save": {"modules_to_save": ["lm_head"]},
    "trainable_token_indices": {"trainable_token_indices": {"embed_tokens": [5, 6]}},
    "bias": {"bias": "lora_only"},
    "lora_bias": {"lora_bias": True},
    "layer_replication": {"layer_replication": [[0, 2], [1, 3]]},
    "init_lora_weights pissa": {"init_lora_weights": "pissa"},
    "init_lora_weights olora": {"init_lora_weights": "olora"},
    "init_lora_weights orthogonal": {"init_lora_weights": "orthogonal"},
}


def write_by_peft(cache_dir: Path, folder: Path, config: LoraConfig) -> Path:
    """Writes an adapter with random weights of whatever kind the options ask for."""
    model = get_peft_model(load_tiny(cache_dir).model, config)
    generator = torch.Generator().manual_seed(7)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data += torch.randn(parameter.shape, generator=generator) * 0.3
    model.save_pretrained(folder)
    return folder


@pytest.mark.filterwarnings("ignore")  # peft's, about options that make no sense on a model this small
@pytest.mark.parametrize(("name", "options"), OTHER_METHODS.items(), ids=OTHER_METHODS)
def test_what_is_no_plain_lora_is_refused_by_the_name_of_its_option(
    base: BaseModel, cache_dir: Path, tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    if name == "layer_replication":  # peft writes none for this model's layers
        write_by_peft(cache_dir, tmp_path / "adapter", LoraConfig(r=4, target_modules=list(TARGET_MODULES)))
        rewrite_config(tmp_path / "adapter", options)
    else:
        config = LoraConfig(r=4, target_modules=list(TARGET_MODULES), **options)
        write_by_peft(cache_dir, tmp_path / "adapter", config)

    with pytest.raises(AdapterIncompatible, match=f"only plain LoRA is served, not {name}"):
        LoraLayers(base).load(read_adapter(tmp_path / "adapter"))


def test_another_method_of_peft_is_refused_by_its_name(
    base: BaseModel, cache_dir: Path, tmp_path: Path
) -> None:
    config = AdaLoraConfig(init_r=4, target_r=2, total_step=10, target_modules=list(TARGET_MODULES))
    folder = write_by_peft(cache_dir, tmp_path / "adapter", config)

    with pytest.raises(AdapterIncompatible, match="not peft_type ADALORA"):
        LoraLayers(base).load(read_adapter(folder))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"an_option_of_tomorrow": 3}, "not an_option_of_tomorrow"),
        ({"r": 0}, "r must be a whole number of at least 1"),
        ({"r": "4"}, "r must be a whole number of at least 1"),
        ({"r": 8}, r"has the wrong shape \(4, .*\); r and the layer ask for \(8, "),
        ({"lora_alpha": None}, "lora_alpha must be a number"),
        ({"lora_alpha": float("inf")}, "lora_alpha must be a number"),
        ({"lora_alpha": float("nan")}, "lora_alpha must be a number"),
        ({"lora_alpha": 10**400}, "lora_alpha must be a number from -1000000 to 1000000"),
        ({"r": 10**400, "use_rslora": True}, "at most 65536"),
        ({"use_rslora": "false"}, "use_rslora must be true or false"),
    ],
)
def test_options_that_do_not_fit_are_refused_by_name(
    base: BaseModel, adapter_folder: Path, options: dict[str, object], complaint: str
) -> None:
    rewrite_config(adapter_folder, options)

    with pytest.raises(AdapterIncompatible, match=complaint):
        LoraLayers(base).load(read_adapter(adapter_folder))


@pytest.mark.parametrize("name", ["lora_magnitude_vector", "lora_embedding_A"])
def test_weights_that_are_no_factors_are_refused_by_name(
    base: BaseModel, adapter_folder: Path, name: str
) -> None:
    weights = load_file(adapter_folder / "adapter_model.safetensors")
    layer = next(iter(weights)).rpartition(".lora_")[0]
    save_file({**weights, f"{layer}.{name}": torch.ones(4)}, adapter_folder / "adapter_model.safetensors")

    with pytest.raises(AdapterIncompatible, match=f"{name} is no factor of plain LoRA"):
        LoraLayers(base).load(read_adapter(adapter_folder))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda tensor: tensor.to(torch.float8_e4m3fn), "is of type F8_E4M3; BF16, F16, F32, F64 are served"),
        (lambda tensor: tensor.to(torch.complex64), "is of type C64"),
        (lambda tensor: tensor.to(torch.int8), "is of type I8"),
        # Finite as it is stored, and not once it is multiplied with alpha / r.
        (lambda tensor: torch.full_like(tensor, 3e38), "is not finite"),
    ],
)
def test_weights_that_cannot_be_computed_with_are_refused_by_name(
    base: BaseModel, adapter_folder: Path, spoil: Callable[[torch.Tensor], torch.Tensor], complaint: str
) -> None:
    weights = load_file(adapter_folder / "adapter_model.safetensors")
    save_file({key: spoil(tensor) for key, tensor in weights.items()}, adapter_folder / WEIGHTS_FILE)

    with pytest.raises(AdapterIncompatible, match=complaint):
        LoraLayers(base).load(read_adapter(adapter_folder))


def test_an_adapter_without_weights_is_refused(base: BaseModel, adapter_folder: Path) -> None:
    save_file({}, adapter_folder / WEIGHTS_FILE)

    with pytest.raises(AdapterIncompatible, match="holds no weights"):
        LoraLayers(base).load(read_adapter(adapter_folder))


@pytest.mark.filterwarnings("ignore")  # peft's, about tied embeddings
def test_an_adapter_of_the_output_layer_is_refused(base: BaseModel, tmp_path: Path) -> None:
    model = get_peft_model(base.model, LoraConfig(r=4, target_modules=["lm_head"]))
    model.save_pretrained(tmp_path / "adapter", save_embedding_layers=False)
    model.unload()

    with pytest.raises(AdapterIncompatible, match="of the output layer, which is served without an adapter"):
        LoraLayers(base).load(read_adapter(tmp_path / "adapter"))


def test_half_a_pair_of_factors_is_refused(base: BaseModel, adapter_folder: Path) -> None:
    weights = load_file(adapter_folder / "adapter_model.safetensors")
    weights.pop(next(key for key in weights if "lora_B" in key))
    save_file(weights, adapter_folder / "adapter_model.safetensors")

    with pytest.raises(AdapterIncompatible, match="has no second factor"):
        LoraLayers(base).load(read_adapter(adapter_folder))


@pytest.mark.parametrize(
    "options",
    [{"init_lora_weights": "gaussian"}, {"use_rslora": True}, {"lora_alpha": 3, "lora_dropout": 0.2}],
)
def test_what_is_served_computes_what_peft_computes(
    base: BaseModel, cache_dir: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    config = LoraConfig(r=4, target_modules=list(TARGET_MODULES), **options)
    folder = write_by_peft(cache_dir, tmp_path / "adapter", config)
    tokens = torch.arange(3, 40).unsqueeze(0)

    layers = LoraLayers(base, "factors")
    layers.activate(layers.load(read_adapter(folder)))
    with torch.no_grad():
        ours = base.model(tokens).logits
        theirs = PeftModel.from_pretrained(load_tiny(cache_dir).model, str(folder)).eval()(tokens).logits

    assert torch.allclose(ours, theirs, atol=1e-4)


def rewrite_config(folder: Path, options: dict[str, object]) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | options))
