"""Notices texts in a resume that speak to the scorer instead of about the candidate.

A flag is a hint to a person; what is found is not read (``instruction_removal``). Every language has
patterns of its own; a resume needs an instruction with its object (ignore + instructions, give + score),
never a single word, so that people who work with language models or manage scores are left alone.
docs/security.md has what was measured.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator

from services.scoring.reading.attacks.copied_job import copied_spans
from services.scoring.reading.attacks.injection_patterns import (
    LOOK_ALIKES,
    MARKS,
    PHRASES,
    PHRASES_WITHOUT_SPACES,
)
from services.scoring.reading.texts.text_cleaning import clean_text, num_hidden_characters

POSSIBLE_PROMPT_INJECTION = "possible_prompt_injection"

# Resumes that came out of a PDF hold up to three by accident; an attack hides a sentence.
MIN_HIDDEN_CHARACTERS = 8
# Single letters in a row, with wider gaps between what were words. All patterns are bounded or linear: a
# resume of the largest size must not hold the service up.
_SPACED_OUT = re.compile(r"(?<!\S)(?:\w {1,4}){7,}\w(?!\S)")
_SCRIPTS_MEET = re.compile(r"[A-Za-z][\u0370-\u052f]|[\u0370-\u052f][A-Za-z]")
_MIXED_WORD = re.compile(r"\w{0,40}(?:[A-Za-z][\u0370-\u052f]|[\u0370-\u052f][A-Za-z])\w{0,40}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{32,}={0,2}")
_OVERRIDDEN = re.compile("[\u202d\u202e]([^\u202c\n]*)")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_SPACES = re.compile(r"\s+")
_WITHOUT_SPACES = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")


def is_suspicious(resume: str, job_description: str) -> bool:
    """Returns whether a resume holds what looks like an attack on the scorer.

    Args:
        resume: as it came, before any cleaning.
        job_description: of the same pair, to notice a pasted copy of it.
    """
    if num_hidden_characters(resume) >= MIN_HIDDEN_CHARACTERS:
        return True
    readings = list(_readings(resume))
    if any(MARKS.search(reading) for reading in readings):
        return True
    flat = [_SPACES.sub(" ", reading).lower() for reading in readings]
    if any(PHRASES.search(reading) for reading in flat):
        return True
    if any(PHRASES_WITHOUT_SPACES.search(reading) for reading in flat if _is_east_asian(reading)):
        return True
    return bool(copied_spans(resume, job_description))


def _readings(text: str) -> Iterator[str]:
    """Yields the text as it reads, and again in every disguise that was found in it, undone."""
    clean = unicodedata.normalize("NFKC", clean_text(text))
    yield clean
    if not clean.isascii() and _SCRIPTS_MEET.search(clean):
        yield _MIXED_WORD.sub(lambda found: found.group().translate(LOOK_ALIKES), clean)
    spaced = _SPACED_OUT.findall(clean)
    if spaced:
        yield "\n".join(_unspaced(letters) for letters in spaced)
    for found in _OVERRIDDEN.findall(text):
        yield found[::-1]
    for found in _TAGS.findall(text):
        yield "".join(chr(ord(letter) - 0xE0000) for letter in found)
    for found in _BASE64.findall(clean):
        try:
            yield base64.b64decode(found + "=" * (-len(found) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue


def _unspaced(letters: str) -> str:
    return " ".join(word.replace(" ", "") for word in re.split(r" {2,}", letters))


def _is_east_asian(text: str) -> bool:
    return not text.isascii() and _WITHOUT_SPACES.search(text) is not None
