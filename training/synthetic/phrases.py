"""The small template language of the data files, and finding a skill's wording in a text.

``[a|b]`` picks one, ``{3-12}`` is a number from the range, ``<name>`` stands for what the caller gives under
that name (in an occupation's phrases: a skill), and ``a/an`` becomes the article that the next word takes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_NUMBER = re.compile(r"\{(\d+)-(\d+)\}")
_SLOT = re.compile(r"<([^<>]+)>")
_ARTICLE = re.compile(r"\b([Aa])/an (?=(\w+))")
_CONSONANT_SOUND = re.compile(r"(uni|use|usu|util|eu|one)", re.IGNORECASE)
# Letters that are read by a name that starts with a vowel: an HR generalist, an SEO specialist, an LPN.
_LETTER_NAMES = re.compile(r"(?:[AEFHILMNORSX][A-Z]|[AEFHILMNORSX]\b)")

# Above this, a resume rounds: "about 4,300 orders", never "4,287".
_ROUNDED_FROM = 1000
# A range inside this one is of calendar years.
_YEARS = range(1900, 2101)


def expand(template: str, rng: Random, values: Mapping[str, str]) -> str:
    """Returns one of the texts that a template stands for.

    Args:
        values: what each ``<name>`` stands for.

    Raises:
        KeyError: the template uses a name without a value.
    """
    text = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
    text = _NUMBER.sub(lambda match: _number(rng, int(match[1]), int(match[2])), text)
    text = _SLOT.sub(lambda match: values[match[1]], text)
    return _ARTICLE.sub(_article, text)


def slots_in(template: str) -> tuple[str, ...]:
    """Returns the names that a template uses, in their order."""
    return tuple(_SLOT.findall(template))


def mentions(text: str, surfaces: Iterable[str]) -> bool:
    """Returns whether one of the wordings stands in a text as whole words, in any case."""
    lowered = text.lower()
    return any(
        surface.lower() in lowered
        and re.search(rf"(?<![a-z0-9]){re.escape(surface.lower())}(?![a-z0-9])", lowered)
        for surface in surfaces
    )


def capitalised(text: str) -> str:
    """Returns the text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def enumeration(items: Sequence[str], conjunction: str = "and") -> str:
    """Returns ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def _number(rng: Random, lowest: int, highest: int) -> str:
    number = rng.randint(lowest, highest)
    if lowest in _YEARS and highest in _YEARS:
        return str(number)
    if number >= _ROUNDED_FROM:
        number = round(number, 2 - len(str(number)))
    return f"{number:,}"


def _article(match: re.Match[str]) -> str:
    word = match[2]
    if _LETTER_NAMES.match(word) and word[:2].isupper():
        takes_an = True
    else:
        takes_an = word[0].lower() in "aeiou" and not _CONSONANT_SOUND.match(word)
    return f"{match[1]}{'n' if takes_an else ''} "
