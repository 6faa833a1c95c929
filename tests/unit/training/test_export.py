"""An exported adapter: whole, checked by its manifest, opened by peft, described by card and metadata."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoTokenizer

from services.adapters.manifest import read_manifest, verify_manifest
from services.contracts.errors import AdapterIncompatible
from services.scoring.base_model import BaseModel
from services.scoring.lora_adapter import METADATA_FILE, WEIGHTS_FILE
from services.scoring.prompt import PROMPT_VERSION
from training import export
from training.fine_tuning import TrainingData, fine_tune

from .learnable_pairs import CONFIG, learnable_pairs

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def folder(base: BaseModel, tmp_path: Path) -> Path:
    config = dataclasses.replace(CONFIG, epochs=1, validation_share=0.5)
    return fine_tune(
        base, TrainingData(learnable_pairs(), digest="d" * 64), tmp_path / "adapter", config
    ).folder


def test_peft_and_transformers_open_it(base: BaseModel, folder: Path) -> None:
    model = PeftModel.from_pretrained(base.model, str(folder))
    tokenizer = AutoTokenizer.from_pretrained(folder)

    lora = {name for name, _ in model.named_parameters() if "lora_B" in name}
    assert len(lora) == 2 * 7  # layers x modules
    assert any(parameter.any() for name, parameter in model.named_parameters() if name in lora)
    assert tokenizer.decode(tokenizer("A nurse", add_special_tokens=False)["input_ids"]) == "A nurse"


def test_metadata_tell_how_it_was_made(base: BaseModel, folder: Path) -> None:
    metadata = json.loads((folder / METADATA_FILE).read_text("utf-8"))

    assert metadata["base_model_digest"] == base.digest
    assert metadata["prompt_version"] == PROMPT_VERSION
    assert metadata["data_digest"] == "d" * 64
    assert (metadata["seed"], metadata["config"]["rank"], metadata["num_pairs"]) == (0, 4, 6)
    assert metadata["metrics"]["num_pairs"] == 6
    assert metadata["history"]
    card = (folder / "README.md").read_text("utf-8")
    assert f"| mae | {metadata['metrics']['mae']:.3f} |" in card


def test_the_manifest_covers_every_file_and_notices_a_changed_one(folder: Path) -> None:
    verify_manifest(folder)
    assert {WEIGHTS_FILE, "adapter_config.json", METADATA_FILE, "tokenizer.json", "README.md"} <= set(
        read_manifest(folder)
    )

    damaged = bytearray((folder / WEIGHTS_FILE).read_bytes())
    damaged[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(damaged)

    with pytest.raises(AdapterIncompatible, match=f"{WEIGHTS_FILE} differs"):
        verify_manifest(folder)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "missing"),
        ("{", "damaged"),
        ('{"format": 1, "files": 3}', "damaged"),
        ('{"format": 2, "files": {}}', "another format"),
        ('{"format": 1, "files": {"gone": {"sha256": "", "num_bytes": 0}}}', "gone is missing"),
        ('{"format": 1, "files": {"../x": {"sha256": "", "num_bytes": 0}}}', "is missing"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, content: str | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)

    with pytest.raises(AdapterIncompatible, match=complaint):
        verify_manifest(tmp_path)


def test_a_crash_amid_the_export_leaves_no_half_adapter(
    base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "write_manifest", crash)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(base, TrainingData(learnable_pairs()), tmp_path, dataclasses.replace(CONFIG, epochs=0.1))

    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints"}


def test_weights_of_a_bfloat16_model_are_stored_in_its_type(cache_dir: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from services.scoring.base_model import BaseModelSpec, load_base_model

    base = load_base_model(BaseModelSpec("random:tiny-gemma-3", cache_dir, device="cpu"))
    config = dataclasses.replace(CONFIG, epochs=0.1)

    folder = fine_tune(base, TrainingData(learnable_pairs()), tmp_path / "adapter", config).folder

    assert {tensor.dtype for tensor in load_file(folder / WEIGHTS_FILE).values()} == {torch.bfloat16}
