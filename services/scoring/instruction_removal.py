"""Leaves out of a resume what speaks to the scorer, so that nothing is gained by it.

What is left out is what the detector finds (docs/security.md). The result keeps its flag: a person should
look at what was not read. A resume with one bad line keeps its others.
"""

import re

from services.scoring.injection_detector import is_suspicious, pasted_spans

# A longer line is no line of a list but a text that lost its line ends: it is judged sentence by sentence.
_MAX_LINE_CHARACTERS = 400
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
    kept = "".join(part for part in _parts(kept) if not is_suspicious(part, ""))
    return kept if kept.strip() else resume


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    for line in _LINE.findall(text):
        parts += [line] if len(line) <= _MAX_LINE_CHARACTERS else _SENTENCE.findall(line)
    return parts
