"""The mean of two adapters is an adapter: whole, named after both, with their weights' mean."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from services.adapters.adapter_folder import METADATA_FILE, WEIGHTS_FILE, read_adapter
from services.adapters.canaries import read_canaries
from services.adapters.manifest import verify_manifest
from services.contracts.errors import AdapterIncompatible
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.loading.families import TARGET_MODULES
from tests.doubles.adapters import make_adapter
from training.adapter_output.averaging import average_adapters

pytestmark = pytest.mark.filterwarnings("ignore")


def test_each_weight_is_the_mean(load_base: Callable[[], BaseModel], cache_dir: Path, tmp_path: Path) -> None:
    folders = [make_adapter(tmp_path / str(seed), cache_dir, seed) for seed in (1, 2)]
    output = tmp_path / "mean"

    average_adapters(load_base(), folders, output)

    verify_manifest(output)
    first, second, mean = (load_file(each / WEIGHTS_FILE) for each in (*folders, output))
    assert mean.keys() == first.keys()
    for key, tensor in mean.items():
        torch.testing.assert_close(tensor, (first[key] + second[key]) / 2)
    metadata = json.loads((output / METADATA_FILE).read_text("utf-8"))
    assert metadata["mean_of"] == [read_adapter(each).digest for each in folders]
    assert len(read_canaries(output)) == 4


def test_adapters_of_other_layers_are_refused(
    load_base: Callable[[], BaseModel], cache_dir: Path, tmp_path: Path
) -> None:
    folders = [
        make_adapter(tmp_path / "all", cache_dir, 1),
        make_adapter(tmp_path / "some", cache_dir, 2, TARGET_MODULES[:4]),
    ]

    with pytest.raises(AdapterIncompatible, match="target_modules"):
        average_adapters(load_base(), folders, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
