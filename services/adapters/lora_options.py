"""What an adapter's ``adapter_config.json`` asks for, as far as it is served: plain LoRA and nothing else.

peft has some forty options, and each version brings new ones. Whatever would change the product is refused by
its name, and so is whatever is not known: an adapter that is computed wrongly answers without a word.
"""

import json
from dataclasses import dataclass
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
# Far above what anybody trains with. JSON has numbers that no float holds.
_MAX_RANK = 65_536
_MAX_ALPHA = 1_000_000


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
    if config.get("use_rslora") not in (None, True, False):
        raise AdapterIncompatible(f"adapter {folder.name}: use_rslora must be true or false")
    rank = _rank(folder, config.get("r"))
    # Rank-stabilised LoRA (Kalajdzievski 2023) divides by the root.
    divisor = rank**0.5 if config.get("use_rslora") else rank
    return LoraOptions(rank, _alpha(folder, config.get("lora_alpha")) / divisor)


def _rank(folder: Path, rank: Any) -> int:
    if isinstance(rank, bool) or not isinstance(rank, int) or not 1 <= rank <= _MAX_RANK:
        raise AdapterIncompatible(
            f"adapter {folder.name}: r must be a whole number of at least 1, at most {_MAX_RANK}"
        )
    return rank


def _alpha(folder: Path, alpha: Any) -> float:
    # What is not a number at all (NaN) is not within the limits either.
    is_number = isinstance(alpha, int | float) and not isinstance(alpha, bool)
    if not is_number or not -_MAX_ALPHA <= alpha <= _MAX_ALPHA:
        raise AdapterIncompatible(
            f"adapter {folder.name}: lora_alpha must be a number from -{_MAX_ALPHA} to {_MAX_ALPHA}"
        )
    return float(alpha)


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
