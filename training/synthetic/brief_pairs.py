"""Pairs in a few lines each: title, skills, years and education, without the prose of a job or a resume.

A small model that starts with whole texts sees too few pairs a minute to find out that the two have to be
compared: on two CPU cores Gemma 3 270M still gave every pair the mean label after 700 of them. Of these, 400
in an eighth of the time make its loss fall. Curriculum learning from short to long: Bengio et al. 2009;
Platanios et al. 2019, "Competence-based Curriculum Learning", section 3.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from training.synthetic.generator import labelled_row
from training.synthetic.occupations import Catalog, load_catalog
from training.synthetic.profile_sampling import sample_candidate, sample_job
from training.synthetic.profiles import CandidateProfile, JobProfile

#: Candidates of one job by the category they are drawn for; three from anywhere come on top.
_CATEGORIES = ("excellent",) * 3 + ("good",) * 2 + ("fair",) * 2 + ("poor",) * 2
_NUM_STRANGERS = 3
BRIEF_RESUMES_PER_JOB = len(_CATEGORIES) + _NUM_STRANGERS


def generate_brief_pairs(num_pairs: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Generates brief labelled pairs, job after job; the same arguments give the same pairs.

    Args:
        num_pairs: how many; ``BRIEF_RESUMES_PER_JOB`` of each job.
        seed: another seed gives other pairs.

    Yields:
        Rows as ``generate_pairs`` does, scored as the whole texts are.
    """
    catalog = load_catalog()
    names = list(catalog.occupations)
    for first in range(0, num_pairs, BRIEF_RESUMES_PER_JOB):
        number = first // BRIEF_RESUMES_PER_JOB
        rng = Random(f"brief/{seed}/{number}")  # noqa: S311 - texts, not secrets
        rows = _job_rows(names[number % len(names)], catalog, rng)
        yield from rows[: num_pairs - first]


def _job_rows(occupation: str, catalog: Catalog, rng: Random) -> list[dict[str, Any]]:
    job = sample_job(catalog.occupations[occupation], rng)
    job_text = _job_text(job, rng)
    candidates = [sample_candidate(job, category, catalog, rng)[0] for category in _CATEGORIES]
    for _ in range(_NUM_STRANGERS):
        other = sample_job(catalog.occupations[rng.choice(list(catalog.occupations))], rng)
        candidates.append(sample_candidate(other, "excellent", catalog, rng)[0])
    return [labelled_row(job, candidate, job_text, _resume_text(candidate, rng)) for candidate in candidates]


def _job_text(job: JobProfile, rng: Random) -> str:
    parts = [
        f"Required skills: {', '.join(job.required_skills)}.",
        f"{job.years_required}+ years of experience.",
        f"Education: {job.education_required}.",
    ]
    if job.preferred_skills:
        parts.append(f"Nice to have: {', '.join(job.preferred_skills)}.")
    if job.mandatory_licences:
        parts.append(f"License: {', '.join(job.mandatory_licences)}.")
    return f"{job.title}\n{' '.join(rng.sample(parts, len(parts)))}"


def _resume_text(candidate: CandidateProfile, rng: Random) -> str:
    roles = "; ".join(f"{role.title}, {role.num_months / 12:.0f} years" for role in candidate.roles)
    parts = [
        f"Experience: {roles}.",
        f"Skills: {', '.join(rng.sample(candidate.skills, len(candidate.skills)))}.",
        f"Education: {' '.join(filter(None, (candidate.education_level, candidate.degree_field)))}.",
    ]
    if candidate.licences:
        parts.append(f"Licenses: {', '.join(candidate.licences)}.")
    return " ".join(rng.sample(parts, len(parts)))
