"""Leaves out of a resume what speaks to the scorer, so that nothing is gained by it.

What is left out is what the detector finds (docs/security.md). The result keeps its flag: a person should
look at what was not read. A resume with one bad line keeps its others.
"""

import re

from services.scoring.reading.attacks.copied_job import copied_spans
from services.scoring.reading.attacks.injection_detector import is_suspicious

# A longer line is no line of a list but a text that lost its line ends: it is judged sentence by sentence.
_MAX_LINE_CHARACTERS = 400
# An instruction may stand on so many neighbouring lines.
_WINDOW_PARTS = (2, 3)
# Scored as what it is, an application without a text: the model gives it what it gives no evidence.
NOTHING_LEFT = "(nothing of the candidate's own)"
_LETTERS = re.compile(r"[^\W\d_]{2}|[^\W\d_](?<![\x00-\u2fff])")
_LINE = re.compile(r"[^\n]*\n|[^\n]+$")
_SENTENCE = re.compile(r"[^.!?。]+[.!?。]*\s*|[.!?。]+\s*")


def without_instructions(resume: str, job_description: str) -> str:
    """Returns a suspicious resume without its suspicious parts; ``NOTHING_LEFT`` where nothing else is in it.

    Args:
        resume: as it came, before any cleaning.
        job_description: of the same pair; what is copied out of it goes, too.
    """
    own, at = "", 0
    for start, end in copied_spans(resume, job_description):
        own += resume[at:start]
        at = end
    own += resume[at:]
    if not is_suspicious(own, ""):
        kept = own
    else:
        # By sentences where lines leave nothing: a short resume may be one line.
        kept = next(
            (kept for kept in map(_honest, (_parts(own), _SENTENCE.findall(own))) if _has_words(kept)), ""
        )
    return kept if _has_words(kept) or not _has_words(resume) else NOTHING_LEFT


def _has_words(text: str) -> bool:
    return _LETTERS.search(text) is not None


def _honest(parts: list[str]) -> str:
    parts = [part for part in parts if not part.strip() or not is_suspicious(part, "")]
    for width in _WINDOW_PARTS:
        if not is_suspicious("".join(parts), ""):
            break
        parts = _without_windows(parts, width)
    return "".join(parts)


def _without_windows(parts: list[str], width: int) -> list[str]:
    """Leaves out neighbours that speak to the scorer together, such as an instruction over two lines."""
    kept: list[str] = []
    for part in parts:
        kept.append(part)
        if len(kept) >= width and is_suspicious("".join(kept[-width:]), ""):
            del kept[-width:]
    return kept


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    for line in _LINE.findall(text):
        parts += [line] if len(line) <= _MAX_LINE_CHARACTERS else _SENTENCE.findall(line)
    return parts
