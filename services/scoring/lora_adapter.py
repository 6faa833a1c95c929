"""Reads a LoRA adapter's folder and checks that it fits before any weight changes."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.contracts.errors import AdapterIncompatible
from services.contracts.reference import ReferenceFigures, reference_from_json
from services.scoring.base_model import BaseModel
from services.scoring.prompt import PROMPT_VERSION

WEIGHTS_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
METADATA_FILE = "training_metadata.json"


@dataclass(frozen=True, slots=True)
class LoraAdapter:
    """An adapter folder that has been read and found whole.

    Attributes:
        folder: where it lies.
        digest: SHA-256 over its weights and its configuration.
        version: its version name; empty where it has none.
        prompt_version: the prompt it was trained with.
        base_model_digest: digest of the base model it was trained on; empty where unknown.
        reference: what its scores and prompts looked like in training, or None where it tells nothing.
    """

    folder: Path
    digest: str
    version: str
    prompt_version: str
    base_model_digest: str
    reference: ReferenceFigures | None = None

    def check_fits(self, base: BaseModel) -> None:
        """Checks that the adapter was trained on this base model and has weights for it.

        Raises:
            AdapterIncompatible: it was not, or its weights do not fit.
        """
        if self.base_model_digest and self.base_model_digest != base.digest:
            raise AdapterIncompatible(
                f"adapter {self.folder.name}: trained on a base model with digest "
                f"{self.base_model_digest[:12]}, this one is {base.digest[:12]}"
            )
        _check_weights(base, self)


def read_adapter(folder: Path) -> LoraAdapter:
    """Reads and identifies an adapter folder as peft writes it.

    Raises:
        AdapterIncompatible: a file is missing or unreadable, or it was trained with another prompt version.
    """
    digest = hashlib.sha256()
    for name in (WEIGHTS_FILE, CONFIG_FILE):
        if not (folder / name).is_file():
            raise AdapterIncompatible(f"adapter {folder.name}: {name} is missing")
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    metadata = read_metadata(folder)
    prompt_version = str(metadata.get("prompt_version", PROMPT_VERSION))
    if prompt_version != PROMPT_VERSION:
        raise AdapterIncompatible(
            f"adapter {folder.name}: trained with prompt version {prompt_version}; "
            f"this scorer has {PROMPT_VERSION}"
        )
    return LoraAdapter(
        folder=folder,
        digest=digest.hexdigest(),
        version=str(metadata.get("version", "")),
        prompt_version=prompt_version,
        base_model_digest=str(metadata.get("base_model_digest", "")),
        reference=reference_from_json(metadata.get("reference")),
    )


def read_metadata(folder: Path) -> dict[str, Any]:
    """Returns what an adapter tells of its training; empty where it tells nothing.

    Raises:
        AdapterIncompatible: the file is no JSON object.
    """
    path = folder / METADATA_FILE
    if not path.is_file():
        return {}
    try:
        metadata = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise AdapterIncompatible(f"adapter {folder.name}: {METADATA_FILE} is no JSON") from error
    if not isinstance(metadata, dict):
        raise AdapterIncompatible(f"adapter {folder.name}: {METADATA_FILE} is no JSON object")
    return metadata


def layer_of(key: str) -> str:
    """Returns the name of the base model's layer that a tensor of an adapter belongs to."""
    return key.removeprefix("base_model.model.").rpartition(".lora_")[0]


def _check_weights(base: BaseModel, adapter: LoraAdapter) -> None:
    from safetensors import SafetensorError, safe_open

    linear = {name: module for name, module in base.model.named_modules() if hasattr(module, "in_features")}
    try:
        with safe_open(adapter.folder / WEIGHTS_FILE, "pt") as weights:
            for key in weights.keys():  # noqa: SIM118  (safe_open is no mapping)
                module = linear.get(layer_of(key))
                if module is None:
                    raise AdapterIncompatible(
                        f"adapter {adapter.folder.name}: the base model has no layer for {key}"
                    )
                rows, columns = weights.get_slice(key).get_shape()
                is_a = ".lora_A." in key
                if (columns if is_a else rows) != (module.in_features if is_a else module.out_features):
                    raise AdapterIncompatible(f"adapter {adapter.folder.name}: {key} has the wrong shape")
                if not weights.get_tensor(key).isfinite().all():
                    raise AdapterIncompatible(f"adapter {adapter.folder.name}: {key} is not finite")
    except SafetensorError as error:
        raise AdapterIncompatible(f"adapter {adapter.folder.name}: {WEIGHTS_FILE} is damaged") from error
