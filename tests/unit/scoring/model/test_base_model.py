import json
from pathlib import Path

import pytest
import torch

from services.contracts.engine_settings import ModelSettings
from services.contracts.errors import ModelUnavailable
from services.scoring.model import cpu_products
from services.scoring.model.loading.base_model import BaseModel, load_base_model, weights_digest
from tests.doubles.models import load_tiny, tiny_settings


def test_a_digest_follows_the_bytes_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.safetensors").write_bytes(b"two")
    (tmp_path / "a.safetensors").write_bytes(b"one")
    before = weights_digest(tmp_path)

    (tmp_path / "b.safetensors").write_bytes(b"2")

    assert len(before) == 64
    assert weights_digest(tmp_path) != before


def test_a_prepared_folder_has_the_digest_of_its_source(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"one")
    (tmp_path / "model.json").write_text(json.dumps({"base_model": "gemma", "digest": "d" * 64}))

    assert weights_digest(tmp_path) == "d" * 64


def test_random_weights_are_the_same_every_time(tiny_gemma_3: BaseModel, cache_dir: Path) -> None:
    again = load_base_model(tiny_settings(cache_dir))

    assert again.digest == tiny_gemma_3.digest
    for one, other in zip(again.model.parameters(), tiny_gemma_3.model.parameters(), strict=True):
        assert one.equal(other)


@pytest.mark.parametrize(("is_supported", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_is_the_type_that_the_processor_multiplies_fast(
    is_supported: bool, expected: torch.dtype, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_products, "are_supported", lambda device, dtype: is_supported)

    base = load_tiny(cache_dir, dtype="auto")

    assert base.model.dtype == expected


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"base_model": "random:huge"}, "known shapes are .*tiny-gemma-3"),
        ({"base_model": "random:tiny-gemma-3", "device": "cuda:99"}, "device cuda:99"),
        ({"base_model": "random:tiny-gemma-3", "device": "toaster"}, "device toaster: no such device"),
    ],
)
def test_what_cannot_be_loaded_is_named(spec: dict[str, str], complaint: str, cache_dir: Path) -> None:
    with pytest.raises(ModelUnavailable, match=complaint):
        load_base_model(ModelSettings(model_cache_dir=cache_dir, **spec))  # type: ignore[arg-type]


def test_a_folder_with_another_kind_of_model_is_refused(tmp_path: Path, cache_dir: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))

    with pytest.raises(ModelUnavailable, match="only Gemma 2 and Gemma 3"):
        load_tiny(cache_dir, str(tmp_path), dtype="auto")
