"""A LoRA adapter with random weights for any base model: as fast as a trained one."""

import json
from pathlib import Path

from services.adapters.adapter_folder import METADATA_FILE, WEIGHTS_FILE
from services.adapters.lora_options import CONFIG_FILE
from services.contracts.reading import PROMPT_VERSION
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.loading.families import TARGET_MODULES

RANK = 16
# Small enough that scores stay finite.
_SCALE = 0.01


def write_random_adapter(base: BaseModel, folder: Path, seed: int = 0) -> Path:
    """Writes an adapter of rank 16 on all seven matrices of each layer; returns its folder.

    Args:
        base: a base model whose linear layers nothing has wrapped; its weights are not read.
        folder: made if missing.
        seed: of the weights.
    """
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, layer in base.model.named_modules():
        if name.rpartition(".")[2] not in TARGET_MODULES:
            continue
        for factor, rows, columns in (("A", RANK, layer.in_features), ("B", layer.out_features, RANK)):
            key = f"base_model.model.{name}.lora_{factor}.weight"
            weights[key] = torch.randn(rows, columns, generator=generator) * _SCALE  # type: ignore[call-overload]
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / WEIGHTS_FILE)
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 2 * RANK, "target_modules": list(TARGET_MODULES)}
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    origin = {"base_model": base.name, "base_model_digest": base.digest, "prompt_version": PROMPT_VERSION}
    (folder / METADATA_FILE).write_text(json.dumps(origin))
    return folder
