"""Texts that are hard for a pattern: repeats of what its parts match, and of neighbours of two parts."""

import itertools
import re
from collections.abc import Iterator
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_MAX_PART_CHARACTERS = 40
_NUM_PARTS, _NUM_PAIRED = 120, 12
_CLASSES = {"CATEGORY_DIGIT": "7", "CATEGORY_WORD": "x", "CATEGORY_SPACE": " "}


def hard_texts(pattern: re.Pattern[str], num_characters: int) -> Iterator[str]:
    """Yields texts of about so many characters, each a repeat of one or two of the pattern's parts."""
    found: set[str] = set()
    _collect(_parser.parse(pattern.pattern, pattern.flags), found)
    parts = sorted(
        (part for part in found if len(part) <= _MAX_PART_CHARACTERS), key=lambda part: (len(part), part)
    )
    paired = ("".join(pair) for pair in itertools.product(parts[:_NUM_PAIRED], repeat=2))
    # Repeats of "ab", of "ba" and of "abab" are one text, but for where it begins.
    for unit in {_least_turn(unit): unit for unit in (*parts[:_NUM_PARTS], *paired)}.values():
        repeated = unit * (num_characters // len(unit))
        yield repeated
        yield f"RN {repeated}!"


def _least_turn(unit: str) -> str:
    shortest = (unit + unit).find(unit, 1)
    return min(unit[at:shortest] + unit[:at] for at in range(shortest))


def _collect(tree: Any, found: set[str]) -> None:
    for operation, arguments in tree:
        found.add(_example(operation, arguments))
        for inner in _inner(operation, arguments):
            found.add(_text(inner))
            _collect(inner, found)
    found.discard("")


def _inner(operation: Any, arguments: Any) -> list[Any]:
    name = str(operation)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "SUBPATTERN"):
        return [arguments[-1]]
    if name == "BRANCH":
        return list(arguments[1])
    return [arguments[1]] if name in ("ASSERT", "ASSERT_NOT") else []


def _text(tree: Any) -> str:
    return "".join(_example(operation, arguments) for operation, arguments in tree)


def _example(operation: Any, arguments: Any) -> str:
    """Returns a short text that a part of a pattern matches; nothing for what matches no character."""
    name = str(operation)
    if name == "LITERAL":
        return chr(arguments)
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        return _text(arguments[2]) * max(arguments[0], 1)
    if name == "BRANCH":
        return _text(arguments[1][0])
    if name == "SUBPATTERN":
        return _text(arguments[-1])
    if name == "IN":
        return _member(arguments)
    return "x" if name in ("ANY", "NOT_LITERAL") else ""


def _member(arguments: Any) -> str:
    name, first = str(arguments[0][0]), arguments[0][1]
    if name == "LITERAL":
        return chr(first)
    if name == "RANGE":
        return chr(first[0])
    # A negated class: a blank is in most of them.
    return _CLASSES.get(str(first), " ")
