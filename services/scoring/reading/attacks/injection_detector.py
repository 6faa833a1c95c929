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
from functools import lru_cache

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
# So many words in a row of the job's own text are no accident: the longest run in honest resumes is shorter.
MIN_PASTED_WORDS = 20
_WORD = re.compile(r"\w+")
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
# A job's runs of words are asked for once an application.
_NUM_REMEMBERED_JOBS = 64


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
    return bool(pasted_spans(resume, job_description))


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


def pasted_spans(resume: str, job_description: str) -> list[tuple[int, int]]:
    """Returns where the resume repeats its job by ``MIN_PASTED_WORDS`` words or more, as (start, end)."""
    runs, first_words = _runs_of(job_description)
    if not runs:
        return []
    words = [word.lower() for word in _WORD.findall(resume)]
    pasted = [
        at
        for at, word in enumerate(words)
        if word in first_words and tuple(words[at : at + MIN_PASTED_WORDS]) in runs
    ]
    if not pasted:
        return []
    found = [(each.start(), each.end()) for each in _WORD.finditer(resume)]
    spans: list[tuple[int, int]] = []
    for at in pasted:
        start, end = found[at][0], found[at + MIN_PASTED_WORDS - 1][1]
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


@lru_cache(_NUM_REMEMBERED_JOBS)
def _runs_of(job_description: str) -> tuple[frozenset[tuple[str, ...]], frozenset[str]]:
    """Returns a job's runs of words, and the words that they begin with."""
    words = [word.lower() for word in _WORD.findall(job_description)]
    runs = frozenset(
        tuple(words[at : at + MIN_PASTED_WORDS]) for at in range(len(words) - MIN_PASTED_WORDS + 1)
    )
    return runs, frozenset(run[0] for run in runs)
