"""The pages for operators name files, settings and components that exist."""

import re

import pytest

from services.process.settings import Settings, variable_of
from services.process.settings.loading import CONFIG_FILE_VARIABLE
from tests.deploy.tools import KUBERNETES, ROOT

PAGES = sorted(str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md"))


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(page))

    assert [
        each
        for each in targets
        if not each.startswith("http") and not (ROOT / "docs" / page).parent.joinpath(each).exists()
    ] == []


@pytest.mark.parametrize("page", PAGES)
def test_settings_are_called_by_their_names(page: str) -> None:
    named = set(re.findall(r"\bSCORER_[A-Z_]+\b(?!\*)", text_of(page)))

    assert named <= {variable_of(field) for field in Settings.model_fields} | {CONFIG_FILE_VARIABLE}


def test_every_component_is_described_and_part_of_production() -> None:
    components = {each.name for each in (KUBERNETES / "components").iterdir()}
    described = set(re.findall(r"^\| ([a-z-]+) \|", text_of("operations.md"), re.MULTILINE))
    production = (KUBERNETES / "overlays" / "production" / "kustomization.yaml").read_text()

    assert components <= described
    assert components == set(re.findall(r"components/([a-z-]+)", production))
