"""The recipes name files, places in them and make targets that exist."""

import re

import pytest

from tests.deploy.tools import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
RECIPES = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)


def test_the_five_recipes_are_there() -> None:
    titles = [title for title, _ in RECIPES]

    assert {
        "A field of the result",
        "A metric",
        "A setting",
        "An error",
        "A model family",
    } <= set(titles)


@pytest.mark.parametrize(("title", "text"), RECIPES)
def test_every_path_exists_and_holds_the_place_behind_it(title: str, text: str) -> None:
    named = re.findall(r"`([\w./-]+/[\w./-]*)`(?:\s*\(`(\w+)`\))?", text)

    assert named, title
    for path, place in named:
        found = ROOT / path
        assert found.exists(), path
        if place:
            pattern = rf"(?m)^\s*(?:async )?(?:class|def|message)? ?{place}\b"
            assert re.search(pattern, found.read_text("utf-8")), f"{path}: {place}"


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")

    for target in re.findall(r"`make ([a-z-]+)", PAGE):
        assert re.search(rf"(?m)^{target}:", makefile), target
