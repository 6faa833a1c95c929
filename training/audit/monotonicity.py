"""More of what a job requires must not lower a score, less must not raise it.

On invented pairs, whose required, held and missing skills are known before a word of them is written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from training.synthetic.generator import generate_pairs
from training.synthetic.occupations import load_catalog

_EVIDENCE = "\n\nAlso:\n- Three years of {skill} in daily work; taught it to two colleagues"


@dataclass(frozen=True, slots=True)
class SkillChange:
    """A resume before and after a required skill came or went.

    Attributes:
        kind: "added" or "removed".
        job_description: the job's text.
        before: the resume.
        after: the resume with the skill added or removed.
    """

    kind: str
    job_description: str
    before: str
    after: str


def skill_changes(num_pairs: int, seed: int) -> Iterator[SkillChange]:
    """Yields for each invented pair an addition, a removal or both.

    Args:
        num_pairs: how many pairs to invent.
    """
    catalog = load_catalog()
    for row in generate_pairs(num_pairs, seed):
        job, resume = row["job_description"], row["resume"]
        if row["missing_skills"]:
            skill = catalog.skills[row["missing_skills"][0]].surfaces[0]
            yield SkillChange("added", job, resume, resume.rstrip() + _EVIDENCE.format(skill=skill))
        if row["matched_skills"]:
            without = remove_skill(resume, catalog.skills[row["matched_skills"][0]].surfaces)
            if without != resume:
                yield SkillChange("removed", job, resume, without)


def remove_skill(resume: str, surfaces: tuple[str, ...]) -> str:
    """Returns the resume without any wording of a skill, and without the separators it leaves behind."""
    wordings = "|".join(map(re.escape, sorted(surfaces, key=len, reverse=True)))
    text = re.sub(rf"(?<!\w)(?:{wordings})(?!\w)", "", resume, flags=re.IGNORECASE)
    text = re.sub(r"(?:[ \t]*[,;|·•][ \t]*){2,}", ", ", text)
    return re.sub(r"[ \t]{2,}", " ", text)
