"""Further tasks beside scoring (multi-task learning): what a recruiter reads out of the same two texts.

A task uses the rows that carry its answer: the synthetic generator writes all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from training.configuration import TaskName
from training.pairs.dataset import LabelledPair
from training.planning.formatting import AnswerExample, AnswerFormatter


@dataclass(frozen=True, slots=True)
class Task:
    """One task.

    Attributes:
        instruction: what the model is asked.
        needs_job: whether the job's text stands before the resume's.
        answer_of: a row's answer, or None where the row does not carry it.
    """

    instruction: str
    needs_job: bool
    answer_of: Callable[[dict[str, Any]], str | None]


def _skills(fields: dict[str, Any]) -> str | None:
    matched = fields.get("matched_skills")
    if not isinstance(matched, list):
        return None
    return ", ".join(map(str, matched)) or "none"


def _experience_level(fields: dict[str, Any]) -> str | None:
    level = fields.get("experience_level")
    return level if isinstance(level, str) and level else None


def _education(fields: dict[str, Any]) -> str | None:
    required, held, is_met = (
        fields.get(name) for name in ("education_required", "education_held", "meets_education")
    )
    if not isinstance(required, str) or not isinstance(held, str) or not isinstance(is_met, bool):
        return None
    return f"required: {required}; held: {held}; {'met' if is_met else 'not met'}"


TASKS: dict[TaskName, Task] = {
    "skill_extraction": Task(
        "List the skills that the job asks for and the resume shows, separated by commas.", True, _skills
    ),
    "experience_level": Task(
        "Which level of experience does this resume show: junior, mid, senior or lead?",
        False,
        _experience_level,
    ),
    "education_match": Task(
        "Which education does the job require, which does the resume show, and is it met?", True, _education
    ),
}


def task_example(name: TaskName, labelled: LabelledPair, formatter: AnswerFormatter) -> AnswerExample | None:
    """Returns a row as an example of a task, or None where the row does not carry its answer."""
    task = TASKS[name]
    answer = task.answer_of(labelled.pair.fields)
    if answer is None:
        return None
    resume = f"Resume:\n{labelled.pair.resume}"
    # The resume first: where the text is too long, the end of the job is what a task misses least.
    text = f"{resume}\n\nJob description:\n{labelled.pair.job_description}" if task.needs_job else resume
    return formatter.task_example(task.instruction, text, answer)
