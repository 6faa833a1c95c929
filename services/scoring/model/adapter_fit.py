"""Checks that an adapter fits a base model before any weight changes."""

import re
from collections.abc import Set
from typing import Any

from safetensors import SafetensorError, safe_open

from services.adapters.adapter_folder import WEIGHTS_FILE, LoraAdapter, layer_of
from services.adapters.lora_options import LoraOptions, read_lora_options
from services.contracts.errors import AdapterIncompatible
from services.scoring.model.loading.base_model import BaseModel

_FACTOR_KEY = re.compile(r"\.lora_([AB])\.weight$")
# As safetensors names them; eight bits and less come with scales of their own, which nothing here reads.
_TYPES = frozenset({"F64", "F32", "F16", "BF16"})


def check_fits(adapter: LoraAdapter, base: BaseModel) -> LoraOptions:
    """Checks that an adapter is plain LoRA, trained on this base model, with weights for it.

    Returns:
        What its factors mean.

    Raises:
        AdapterIncompatible: it is not, or its weights do not fit.
    """
    if adapter.base_model_digest and adapter.base_model_digest != base.digest:
        raise AdapterIncompatible(
            f"adapter {adapter.folder.name}: trained on a base model with digest "
            f"{adapter.base_model_digest[:12]}, this one is {base.digest[:12]}"
        )
    options = read_lora_options(adapter.folder)
    _check_weights(base, adapter, options)
    return options


def _check_weights(base: BaseModel, adapter: LoraAdapter, options: LoraOptions) -> None:
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
