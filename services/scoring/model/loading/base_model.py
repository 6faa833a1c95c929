"""Finds, verifies and loads the base model that a setting names.

``gemma-3-270m``        the bundled one
``random:NAME``         random weights of a known shape (tests, benchmarks)
a folder or a hub id    any Gemma 2 or 3 in transformers' format
"""

import hashlib
import json
import logging
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from services.contracts.engine_settings import BUNDLED_MODEL, ModelSettings
from services.contracts.errors import ModelUnavailable
from services.scoring.model import cpu_products
from services.scoring.model.attention import attention_implementation
from services.scoring.model.loading.bundled_model import (
    MARK_FILE,
    Progress,
    prepare_bundled_model,
    prepare_bundled_tokenizer,
)
from services.scoring.model.loading.families import Family, family_of
from services.scoring.model.loading.model_hub import fetch_from_hub
from services.scoring.model.loading.random_models import build_random_model, random_model_names
from services.scoring.reading.text_encoder import TextEncoder

log = logging.getLogger(__name__)

_RANDOM = "random:"


@dataclass(frozen=True)
class BaseModel:
    """A loaded base model.

    Attributes:
        model: the causal language model, in evaluation mode.
        tokenizer: its tokenizer.
        name: as it stands in results.
        digest: SHA-256 of its weights or of their source, or of its name where weights are random.
        quantization: ``nf4`` or ``none``.
    """

    model: PreTrainedModel
    tokenizer: Tokenizer
    name: str
    digest: str
    quantization: str

    @property
    def family(self) -> Family:
        """Returns the family that the model is of."""
        return family_of(self.model.config.model_type)

    @property
    def encoder(self) -> TextEncoder:
        """Returns what turns texts into its tokens."""
        return TextEncoder(self.tokenizer, self.family.turns)


def load_base_model(settings: ModelSettings, progress: Progress = log.info) -> BaseModel:
    """Loads the model onto its device.

    Args:
        settings: what to load and how.
        progress: told one line before each long step.

    Raises:
        ModelUnavailable: there is no such model, it is no Gemma 2 or 3, or it is damaged.
    """
    device = _resolve_device(settings.device)
    quantization = settings.quantization
    if quantization == "auto":
        quantization = "nf4" if device.type == "cuda" else "none"
    dtype = _resolve_dtype(settings.dtype, device)
    with _reported_as_unavailable(settings.base_model):
        if settings.base_model.startswith(_RANDOM):
            return _load_random(settings, device, dtype, quantization, progress)
        return _load_stored(settings, device, dtype, quantization, progress)


def _resolve_device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelUnavailable(f"device {name}: no such device") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ModelUnavailable(f"device {name}: this machine has {torch.cuda.device_count()} CUDA devices")
    return device


def _resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto" and device.type == "cpu" and not cpu_products.are_supported(device, torch.bfloat16):
        # Emulated, such products run at a seventh of float32's rate (AVX2: 19 against 140 GFLOP/s).
        return torch.float32
    return torch.float32 if name == "float32" else torch.bfloat16


class _reported_as_unavailable:  # noqa: N801  (reads as a verb phrase in a with statement)
    """Turns what libraries raise for missing or damaged models into ModelUnavailable."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (OSError, ValueError, KeyError)):
            first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ModelUnavailable(f"base model {self._name}: {first_line}") from error


def _load_random(
    settings: ModelSettings, device: torch.device, dtype: torch.dtype, quantization: str, progress: Progress
) -> BaseModel:
    shape = settings.base_model.removeprefix(_RANDOM)
    if shape not in random_model_names():
        raise ModelUnavailable(
            f"base model {settings.base_model}: known shapes are {', '.join(random_model_names())}"
        )
    tokenizer = _load_tokenizer(prepare_bundled_tokenizer(settings.model_cache_dir, progress))
    model = build_random_model(shape, device.type).to(dtype)
    if quantization == "nf4":
        model = _quantize_in_place(model, device)
    return BaseModel(
        model.to(device),
        tokenizer,
        settings.base_model,
        hashlib.sha256(settings.base_model.encode()).hexdigest(),
        quantization,
    )


def _quantize_in_place(model: Any, device: torch.device) -> Any:
    # bitsandbytes quantises while loading, so random weights take the same way as stored ones.
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return _from_pretrained(folder, device, model.dtype, "nf4")


def _load_stored(
    settings: ModelSettings, device: torch.device, dtype: torch.dtype, quantization: str, progress: Progress
) -> BaseModel:
    folder = resolve_folder(settings, progress)
    model = _from_pretrained(folder, device, dtype, quantization)
    name = settings.base_model if not Path(settings.base_model).is_dir() else Path(settings.base_model).name
    return BaseModel(
        model, _load_tokenizer(folder / "tokenizer.json"), name, weights_digest(folder), quantization
    )


def resolve_folder(settings: ModelSettings, progress: Progress = log.info) -> Path:
    """Returns the folder of a stored model, fetching or converting it first where needed.

    Raises:
        ModelUnavailable: there is no such model, or the hub does not give it; says which.
    """
    if settings.base_model == BUNDLED_MODEL:
        return prepare_bundled_model(settings.model_cache_dir, progress)
    if Path(settings.base_model).is_dir():
        return Path(settings.base_model)
    progress(f"fetching {settings.base_model} from the model hub")
    return fetch_from_hub(settings.base_model, BUNDLED_MODEL)


def weights_digest(folder: Path) -> str:
    """Returns what identifies the weights of a folder.

    That is the digest in the mark of a prepared folder, else the SHA-256 over all safetensors files in order
    of their names.
    """
    mark = folder / MARK_FILE
    if mark.is_file():
        return str(json.loads(mark.read_text("utf-8"))["digest"])
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _from_pretrained(
    folder: Path | str, device: torch.device, dtype: torch.dtype, quantization: str
) -> PreTrainedModel:
    transformers_logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    family_of(config.model_type)  # refuses what is of none
    options: dict[str, Any] = {
        "dtype": dtype,
        "attn_implementation": attention_implementation(config, device.type),
    }
    if quantization == "nf4":
        options |= {"quantization_config": _nf4_config(dtype), "device_map": {"": device}}
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        folder, use_safetensors=True, trust_remote_code=False, **options
    )
    return (model if quantization == "nf4" else model.to(device)).eval()


def _nf4_config(compute_dtype: torch.dtype) -> Any:
    # QLoRA's settings (Dettmers et al. 2023): NF4, double quantisation; bfloat16 compute where that is fast.
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype,
    )


# A second of work for 262,144 pieces; every model of a process can share it, nothing changes it.
@lru_cache(maxsize=2)
def _load_tokenizer(path: Path) -> Tokenizer:
    if not path.is_file():
        raise ModelUnavailable("the model has no tokenizer.json")
    return Tokenizer.from_file(str(path))
