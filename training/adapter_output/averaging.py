"""The mean of adapters of one origin.

The mean of the weights of models that were fine-tuned from one state often does better than each of them, at
the price of one (Wortsman et al. 2022, "Model soups"). It is taken factor by factor, so the adapters must
have gone on from the same one: factors of separate runs have nothing to do with each other.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file

from services.adapters.adapter_folder import METADATA_FILE, WEIGHTS_FILE, read_adapter, read_metadata
from services.adapters.lora_options import CONFIG_FILE
from services.contracts.errors import AdapterIncompatible
from services.scoring.model.adapter_fit import check_fits
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.score_scale import find_score_tokens
from training.adapter_output.canaries import score_canaries
from training.adapter_output.export import AdapterRecord, export_adapter
from training.configuration import FineTuningConfig, parse_config

# What two adapters must share for their factors to mean the same.
_SHAPE = ("r", "lora_alpha", "use_rslora", "target_modules", "layers_to_transform")


def average_adapters(base: BaseModel, folders: Sequence[Path], output: Path) -> None:
    """Writes the mean of adapters as an adapter of its own, with canaries but without figures.

    Args:
        base: what they were trained on.
        folders: of the adapters, at least two; the last one tells the settings that metadata repeat.
        output: the new adapter's folder.

    Raises:
        AdapterIncompatible: one does not fit the base model, or they differ in rank, scaling, layers or
            reading rules.
    """
    adapters = [read_adapter(folder) for folder in folders]
    for adapter in adapters:
        check_fits(adapter, base)
    if len({adapter.rules for adapter in adapters}) != 1:
        raise AdapterIncompatible("adapters differ in their reading rules")
    if len({_shape_of(folder) for folder in folders}) != 1:
        raise AdapterIncompatible(f"adapters differ in one of {', '.join(_SHAPE)}")
    model: Any = PeftModel.from_pretrained(base.model, str(folders[-1])).eval()
    weights = [load_file(folder / WEIGHTS_FILE) for folder in folders]
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_" in name:
                key = name.replace(".default", "")
                parameter.copy_(torch.stack([each[key].float() for each in weights]).mean(dim=0))
    encoder = base.encoder
    score_model = ScoreModel(base, find_score_tokens(encoder))
    metadata = read_metadata(folders[-1])
    record = AdapterRecord(
        config=parse_config(metadata["config"], METADATA_FILE)
        if "config" in metadata
        else FineTuningConfig(),
        rules=adapters[-1].rules,
        data_digest=metadata.get("data_digest", ""),
        num_pairs=metadata.get("num_pairs", 0),
        metrics={},
        history=[],
        canaries=score_canaries(score_model, encoder, adapters[-1].rules),
        mean_of=tuple(adapter.digest for adapter in adapters),
    )
    export_adapter(model, base, record, output)
    model.unload()


def _shape_of(folder: Path) -> str:
    config = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
    return json.dumps([_sorted(config.get(name)) for name in _SHAPE])


def _sorted(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value
