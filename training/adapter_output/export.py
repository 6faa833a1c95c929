"""Writes a trained adapter whole: weights, tokenizer, metadata, model card, manifest."""

import datetime
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from services.adapters.adapter_folder import METADATA_FILE, WEIGHTS_FILE
from services.adapters.canaries import write_canaries
from services.adapters.manifest import write_manifest
from services.contracts.adapters import Canary
from services.contracts.reading import PROMPT_VERSION, ReadingRules
from services.contracts.reference import ReferenceFigures
from services.scoring.model.loading.base_model import BaseModel
from training.adapter_output.model_card import CARD_FILE, write_card
from training.configuration import FineTuningConfig, plain_fields


@dataclass(frozen=True, slots=True)
class AdapterRecord:
    """What an adapter's metadata tells of its training.

    Attributes:
        config: how it was trained.
        rules: by which scorers are to read with it.
        data_digest: SHA-256 of the data's file; empty where there is none.
        num_pairs: trained on.
        metrics: figures on validation pairs; empty without.
        history: losses by step.
        canaries: pairs with the scores that the adapter gives them.
        reference: what its scores and prompts look like on training pairs, or None.
        num_steps: optimiser steps made.
        validation_loss: of the exported weights, or None without validation pairs.
        initial_adapter_digest: of the adapter it went on from; empty for a new one.
        mean_of: digests of the adapters whose mean it is; empty for a trained one.
    """

    config: FineTuningConfig
    rules: ReadingRules
    data_digest: str
    num_pairs: int
    metrics: dict[str, Any]
    history: list[dict[str, float]]
    canaries: tuple[Canary, ...] = ()
    reference: ReferenceFigures | None = None
    num_steps: int = 0
    validation_loss: float | None = None
    initial_adapter_digest: str = ""
    mean_of: tuple[str, ...] = ()


def export_adapter(model: Any, base: BaseModel, record: AdapterRecord, output: Path) -> None:
    """Writes the adapter beside its folder and moves it in, weights last: no half adapter is ever there.

    Args:
        base: what it was trained on.
        output: the adapter's folder; other files in it stay.
    """
    output.mkdir(parents=True, exist_ok=True)
    (output / WEIGHTS_FILE).unlink(missing_ok=True)  # so that a crash amid the moves leaves no mixture
    with tempfile.TemporaryDirectory(dir=output, prefix=".partial-") as scratch:
        folder = Path(scratch)
        # peft would write where the base model lies on this machine.
        model.peft_config["default"].base_model_name_or_path = base.name
        # "auto" asks the model hub whether the vocabulary grew; LoRA here never touches the embeddings.
        model.save_pretrained(folder, state_dict=_in_bfloat16(model), save_embedding_layers=False)
        base.tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(_TOKENIZER_CONFIG, "utf-8")
        metadata = _metadata(base, record)
        (folder / METADATA_FILE).write_text(json.dumps(metadata, indent=2) + "\n", "utf-8")
        write_card(folder / CARD_FILE, metadata)
        write_canaries(folder, record.canaries)
        write_manifest(folder)
        for path in sorted(folder.iterdir(), key=lambda path: path.name == WEIGHTS_FILE):
            path.replace(output / path.name)


_TOKENIZER_CONFIG = json.dumps(
    {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    },
    indent=2,
)


def _in_bfloat16(model: Any) -> dict[str, torch.Tensor]:
    """Returns LoRA's weights in the type that scoring computes with; float32 models keep theirs."""
    dtype = model.get_base_model().dtype
    return {
        name: tensor.detach().to(torch.bfloat16 if dtype == torch.bfloat16 else tensor.dtype).cpu()
        for name, tensor in model.state_dict().items()
        if ".lora_" in name
    }


def _metadata(base: BaseModel, record: AdapterRecord) -> dict[str, Any]:
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "base_model": base.name,
        "base_model_digest": base.digest,
        "base_model_quantization": base.quantization,
        "prompt_version": PROMPT_VERSION,
        "seed": record.config.seed,
        "reading": record.rules.to_json(),
        "config": plain_fields(record.config),
        "data_digest": record.data_digest,
        "initial_adapter_digest": record.initial_adapter_digest,
        "mean_of": list(record.mean_of),
        "num_pairs": record.num_pairs,
        "num_steps": record.num_steps,
        "validation_loss": record.validation_loss,
        "metrics": record.metrics,
        "reference": record.reference.to_json() if record.reference else None,
        "history": record.history,
    }
