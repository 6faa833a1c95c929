"""Reads what is said again only once: a longer text must not be a better one.

What stood before word for word, a line or in a text without lines a sentence, is left out. Short ones
stay: each job of a career may have its "Responsibilities:".
"""

import re

_PART = re.compile(r"[^\n]*\n|[^\n]+$")
_SENTENCE = re.compile(r"[^.!?\u3002;]+[.!?\u3002;]*\s*|[.!?\u3002;]+\s*")
_MAX_LINE_CHARACTERS = 400
_WORD = re.compile(r"\w+")
_MIN_WORDS = 4
#: The text says much of it again; it was read once.
REPEATED_TEXT = "repeated_text"
#: So much of a text said again is worth a flag; a line or two may be honest.
MIN_REPEATED_SHARE = 0.2


def without_repeats(text: str) -> tuple[str, int]:
    """Returns the text without what stood in it before, and how many characters that was."""
    seen: set[str] = set()
    kept: list[str] = []
    num_repeated = 0
    for part in _parts(text):
        words = _WORD.findall(part.casefold())
        key = " ".join(words)
        if len(words) >= _MIN_WORDS and key in seen:
            num_repeated += len(part)
            continue
        seen.add(key)
        kept.append(part)
    return ("".join(kept), num_repeated) if num_repeated else (text, 0)


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    for line in _PART.findall(text):
        parts += [line] if len(line) <= _MAX_LINE_CHARACTERS else _SENTENCE.findall(line)
    return parts
