"""Puts LoRA on the base model: a new adapter, or one to go on from."""

from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training

from services.adapters.adapter_folder import read_adapter
from services.contracts.errors import SettingsInvalid
from services.scoring.model.adapter_fit import check_fits
from services.scoring.model.loading.base_model import BaseModel
from training.configuration import FineTuningConfig


def with_lora(base: BaseModel, initial: Path | None, config: FineTuningConfig) -> Any:
    """Returns peft's model around the base model.

    Args:
        base: its weights stay as they are.
        initial: adapter to go on from, with its own shape; None starts a new one.
        config: shape of a new one.

    Raises:
        AdapterIncompatible: the initial adapter does not fit the base model.
        SettingsInvalid: ``first_layer`` lies above the model's last one.
    """
    model: Any = base.model
    if base.quantization == "nf4":
        # Freezes the 4-bit weights and lifts the norms to float32 (QLoRA).
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    if initial is not None:
        check_fits(read_adapter(initial), base)
        return PeftModel.from_pretrained(model, str(initial), is_trainable=True)
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(base.family.target_modules),
        layers_to_transform=_trained_layers(base, config) or None,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, lora)


def initial_shape_notice(model: PeftModel) -> str:
    """Returns what an initial adapter decides, whatever the settings say, in words."""
    lora = model.peft_config["default"]
    lowest = min(lora.layers_to_transform or [0])
    return (
        f"the initial adapter's rank {lora.r}, alpha {lora.lora_alpha} and layers from {lowest} upwards "
        "stay; rank, alpha, dropout and first_layer of the settings have no effect"
    )


def set_evaluation_mode(model: Any) -> None:
    """Turns dropout off."""
    model.eval()
    for module in model.modules():
        if type(module).__name__ == "Linear4bit":
            # In evaluation mode bitsandbytes packs these anew for the CPU, and fails where a layer is
            # narrower than its blocks. They have no dropout: the mode changes nothing else.
            module.training = module.weight.device.type == "cpu"


def _trained_layers(base: BaseModel, config: FineTuningConfig) -> list[int]:
    """Returns the decoder layers that get LoRA; none where all do, which needs no list."""
    last_layer = base.model.config.get_text_config(decoder=True).num_hidden_layers - 1
    if config.first_layer > last_layer:
        raise SettingsInvalid(f"first_layer: {config.first_layer}; the model's last layer is {last_layer}")
    return list(range(config.first_layer, last_layer + 1)) if config.first_layer else []
