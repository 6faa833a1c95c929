"""Reads a LoRA adapter's folder and checks that it fits before any weight changes."""

import hashlib
import json
import re
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.contracts.errors import AdapterIncompatible
from services.contracts.reference import ReferenceFigures, reference_from_json
from services.scoring.base_model import BaseModel
from services.scoring.lora_options import CONFIG_FILE, LoraOptions, read_lora_options
from services.scoring.prompt import PROMPT_VERSION

WEIGHTS_FILE = "adapter_model.safetensors"
METADATA_FILE = "training_metadata.json"
_KEY_PREFIX = "base_model.model."
_FACTOR_KEY = re.compile(r"\.lora_([AB])\.weight$")
# As safetensors names them; eight bits and less come with scales of their own, which nothing here reads.
_TYPES = frozenset({"F64", "F32", "F16", "BF16"})


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

    def check_fits(self, base: BaseModel) -> LoraOptions:
        """Checks that the adapter is plain LoRA, trained on this base model, with weights for it.

        Returns:
            What its factors mean.

        Raises:
            AdapterIncompatible: it is not, or its weights do not fit.
        """
        if self.base_model_digest and self.base_model_digest != base.digest:
            raise AdapterIncompatible(
                f"adapter {self.folder.name}: trained on a base model with digest "
                f"{self.base_model_digest[:12]}, this one is {base.digest[:12]}"
            )
        options = read_lora_options(self.folder)
        _check_weights(base, self, options)
        return options


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
    return key.removeprefix(_KEY_PREFIX).rpartition(".lora_")[0]


def _check_weights(base: BaseModel, adapter: LoraAdapter, options: LoraOptions) -> None:
    from safetensors import SafetensorError, safe_open

    layers = {name: module for name, module in base.model.named_modules() if hasattr(module, "in_features")}
    output_layer = base.model.get_output_embeddings()
    try:
        with safe_open(adapter.folder / WEIGHTS_FILE, "pt") as weights:
            keys = set(weights.keys())
            if not keys:
                raise AdapterIncompatible(f"adapter {adapter.folder.name}: {WEIGHTS_FILE} holds no weights")
            for key in sorted(keys):
                layer = layers.get(layer_of(key))
                problem = _problem_of_key(key, keys, layer)
                if layer is output_layer:
                    # The read-out takes rows of its weight and never calls it: the factors would be lost.
                    problem = f"{key} is of the output layer, which is served without an adapter"
                problem = problem or _problem_of_values(key, weights, layer, options)
                if problem:
                    raise AdapterIncompatible(f"adapter {adapter.folder.name}: {problem}")
    except SafetensorError as error:
        raise AdapterIncompatible(f"adapter {adapter.folder.name}: {WEIGHTS_FILE} is damaged") from error


def _problem_of_key(key: str, keys: Set[str], layer: Any | None) -> str | None:
    factor = _FACTOR_KEY.search(key)
    if factor is None:
        return f"{key[:200]} is no factor of plain LoRA"
    if layer is None:
        return f"the base model has no layer for {key[:200]}"
    other = f"{key[: factor.start()]}.lora_{'B' if factor[1] == 'A' else 'A'}.weight"
    return None if other in keys else f"{key} has no second factor"


def _problem_of_values(key: str, weights: Any, layer: Any, options: LoraOptions) -> str | None:
    stored = weights.get_slice(key)
    if stored.get_dtype() not in _TYPES:
        return f"{key} is of type {stored.get_dtype()}; {', '.join(sorted(_TYPES))} are served"
    problem = _problem_of_shape(key, tuple(stored.get_shape()), layer, options.rank)
    if problem:
        return problem
    # As it is multiplied: the scaling may be what makes it infinite.
    is_finite = (weights.get_tensor(key).float() * options.scaling).isfinite().all()
    return None if is_finite else f"{key} is not finite"


def _problem_of_shape(key: str, shape: tuple[int, ...], layer: Any, rank: int) -> str | None:
    is_a = ".lora_A." in key
    expected = (rank, layer.in_features) if is_a else (layer.out_features, rank)
    return (
        None
        if shape == expected
        else f"{key} has the wrong shape {shape}; r and the layer ask for {expected}"
    )
