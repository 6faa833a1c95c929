"""Six pairs of a job and a resume, from a perfect match to a very poor one; all names are invented."""

import json
from dataclasses import dataclass, field
from importlib.resources import files

SAMPLES_FILE = "samples.jsonl"


@dataclass(frozen=True, slots=True)
class SamplePair:
    """One pair and what a careful reader would give it.

    Attributes:
        application_id: id of the application.
        job_id: id of the job.
        job_title: the job's title.
        job_description: the whole description, without the title.
        resume: the resume as plain text.
        expected_score: points, 0 to 100.
        category: of the expected score.
        label: the match in words: perfect, excellent, good, fair, poor or very poor.
    """

    application_id: str
    job_id: str
    job_title: str
    job_description: str = field(repr=False)
    resume: str = field(repr=False)
    expected_score: int
    category: str
    label: str


def load_samples() -> tuple[SamplePair, ...]:
    """Returns the pairs, best match first."""
    text = files(__package__).joinpath(SAMPLES_FILE).read_text(encoding="utf-8")
    return tuple(SamplePair(**json.loads(line)) for line in text.splitlines())
