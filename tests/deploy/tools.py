"""Programs and files of deploy/ and k8s/ that tests use."""

import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = ROOT / "k8s"
GRAFANA = DEPLOY / "grafana"
RULES = DEPLOY / "prometheus" / "rules"


def program(name: str) -> str:
    """Returns the path of a program from .venv/tools, .venv/bin or the machine; skips the test without it."""
    places = [Path(sys.prefix) / "tools" / "bin", Path(sys.prefix) / "bin"]
    found = next((shutil.which(name, path=str(place)) for place in places if (place / name).exists()), None)
    found = found or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here; `make tools` brings it")
    return found


def grafana_module(name: str) -> ModuleType:
    """Imports a module of deploy/grafana, which is a folder of scripts and no package."""
    sys.path.insert(0, str(GRAFANA))
    try:
        return __import__(name)
    finally:
        sys.path.remove(str(GRAFANA))
