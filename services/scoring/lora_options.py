"""What an adapter's ``adapter_config.json`` asks for, as far as it is served: plain LoRA and nothing else.

peft has some forty options, and each version brings new ones. Whatever would change the product is refused by
its name, and so is whatever is not known: an adapter that is computed wrongly answers without a word.
"""

import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from services.contracts.errors import AdapterIncompatible

CONFIG_FILE = "adapter_config.json"

# Where an adapter came from, how it was trained, or which layers it is for, which its weights tell too.
_WITHOUT_EFFECT = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "ensure_weight_tying",
        "exclude_modules",
        "inference_mode",
        "layers_pattern",
        "layers_to_transform",
        "lora_dropout",
        "megatron_core",
        "peft_version",
        "qalora_group_size",  # counts with use_qalora alone
        "revision",
        "runtime_config",
        "target_modules",
        "task_type",
    }
)
_READ = frozenset({"peft_type", "r", "lora_alpha", "use_rslora", "init_lora_weights", "bias"})
# Other ways to begin (pissa, olora, corda, loftq, orthogonal) take something out of the base model's weights,
# and the trained factors are right on top of that remainder alone.
_HARMLESS_BEGINNINGS = (None, True, False, "gaussian")


@dataclass(frozen=True, slots=True)
class LoraOptions:
    """What the factors of an adapter mean.

    Attributes:
        rank: inner size of every pair of factors.
        scaling: what their product is multiplied with.
    """

    rank: int
    scaling: float


def read_lora_options(folder: Path) -> LoraOptions:
    """Reads the options of an adapter's folder.

    Raises:
        AdapterIncompatible: it is no plain LoRA, an option is unknown, or the file is damaged; names which.
    """
    config = _read(folder)
    method = config.get("peft_type")
    if method != "LORA":
        raise _refused(folder, f"peft_type {str(method)[:40]}")
    for name in sorted(config.keys() - _WITHOUT_EFFECT - _READ):
        # Options that are off say nothing: None, False, an empty list or mapping.
        if config[name]:
            raise _refused(folder, name[:80])
    if config.get("bias", "none") != "none":
        raise _refused(folder, "bias")
    if config.get("init_lora_weights") not in _HARMLESS_BEGINNINGS:
        raise _refused(folder, f"init_lora_weights {str(config['init_lora_weights'])[:40]}")
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise AdapterIncompatible(f"adapter {folder.name}: r must be a whole number of at least 1")
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not isfinite(alpha):
        raise AdapterIncompatible(f"adapter {folder.name}: lora_alpha must be a number")
    # Rank-stabilised LoRA (Kalajdzievski 2023) divides by the root.
    return LoraOptions(rank, alpha / (rank**0.5 if config.get("use_rslora") else rank))


def _read(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterIncompatible(f"adapter {folder.name}: {CONFIG_FILE} is damaged") from error
    if not isinstance(config, dict):
        raise AdapterIncompatible(f"adapter {folder.name}: {CONFIG_FILE} is no JSON object")
    return config


def _refused(folder: Path, what: str) -> AdapterIncompatible:
    return AdapterIncompatible(f"adapter {folder.name}: only plain LoRA is served, not {what}")
