"""Reads a LoRA adapter's folder and identifies it; no weight is loaded."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.adapters.lora_options import CONFIG_FILE
from services.contracts.errors import AdapterIncompatible
from services.contracts.reading import PLAIN_RULES, PROMPT_VERSION, ReadingRules, rules_from_json
from services.contracts.reference import ReferenceFigures, reference_from_json

WEIGHTS_FILE = "adapter_model.safetensors"
METADATA_FILE = "training_metadata.json"
_KEY_PREFIX = "base_model.model."


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
        rules: by which its trainer read the texts.
    """

    folder: Path
    digest: str
    version: str
    prompt_version: str
    base_model_digest: str
    reference: ReferenceFigures | None = None
    rules: ReadingRules = PLAIN_RULES


def read_adapter(folder: Path) -> LoraAdapter:
    """Reads and identifies an adapter folder as peft writes it.

    Raises:
        AdapterIncompatible: a file is missing or unreadable, it was trained with another prompt version, or
            tells reading rules that this scorer does not know.
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
    try:
        rules = rules_from_json(metadata.get("reading"))
    except ValueError as error:
        raise AdapterIncompatible(f"adapter {folder.name}: {METADATA_FILE}: {error}") from error
    return LoraAdapter(
        folder=folder,
        digest=digest.hexdigest(),
        version=str(metadata.get("version", "")),
        prompt_version=prompt_version,
        base_model_digest=str(metadata.get("base_model_digest", "")),
        reference=reference_from_json(metadata.get("reference")),
        rules=rules,
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
    return key.removeprefix(_KEY_PREFIX).rpartition(".lora_")[0]
