"""Leaves out of a resume what speaks to the scorer, so that nothing is gained by it.

What is left out is what the detector finds (docs/security.md). The result keeps its flag: a person should
look at what was not read. A resume with one bad line keeps its others.
"""

import re

from services.scoring.reading.attacks.injection_detector import is_suspicious, pasted_spans

# A longer line is no line of a list but a text that lost its line ends: it is judged sentence by sentence.
_MAX_LINE_CHARACTERS = 400
# An instruction may stand on so many neighbouring lines.
_WINDOW_PARTS = (2, 3)
_LINE = re.compile(r"[^\n]*\n|[^\n]+$")
_SENTENCE = re.compile(r"[^.!?。]+[.!?。]*\s*|[.!?。]+\s*")


def without_instructions(resume: str, job_description: str) -> str:
    """Returns a suspicious resume without its suspicious parts; as it came where nothing else is in it.

    Args:
        resume: as it came, before any cleaning.
        job_description: of the same pair; what repeats it word for word goes, too.
    """
    kept, at = "", 0
    for start, end in pasted_spans(resume, job_description):
        kept += resume[at:start]
        at = end
    kept += resume[at:]
    parts = [part for part in _parts(kept) if not part.strip() or not is_suspicious(part, "")]
    for width in _WINDOW_PARTS:
        if not is_suspicious("".join(parts), ""):
            break
        parts = _without_windows(parts, width)
    kept = "".join(parts)
    return kept if kept.strip() else resume


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
