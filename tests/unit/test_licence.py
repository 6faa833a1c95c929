"""What may be done with the project, and with the weights that travel with it, stands where people look."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
GEMMA_TERMS = "ai.google.dev/gemma/terms"


def test_the_licence_is_whole_and_what_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    licence = (ROOT / "LICENSE").read_text()

    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE", "NOTICE"]
    assert "Apache License" in licence
    assert "9. Accepting Warranty or Additional Liability" in licence


def test_gemmas_terms_are_named_where_weights_travel() -> None:
    card = (ROOT / "services/scoring/gemma-3-270m-adapter/README.md").read_text()

    assert GEMMA_TERMS in (ROOT / "NOTICE").read_text()
    assert GEMMA_TERMS in card
    assert "license: gemma" in card
