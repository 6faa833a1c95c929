"""Labelled pairs made from a seed: first the hidden truth and its score, then the two texts that tell it."""

from collections.abc import Iterator
from random import Random
from typing import Any

from services.contracts.scoring import category_of
from training.synthetic.archetypes import ARCHETYPES
from training.synthetic.job_text import render_job
from training.synthetic.match_score import match_score
from training.synthetic.occupations import Catalog, load_catalog
from training.synthetic.phrases import enumeration
from training.synthetic.profile_sampling import sample_candidate, sample_job
from training.synthetic.profiles import (
    CandidateProfile,
    JobProfile,
    matched_skills,
    meets_education,
    missing_skills,
    relevant_years,
)
from training.synthetic.resume_text import render_resume

#: Kinds of candidates whose skills stand in their list alone: keywords without a career behind them.
_STUFFED = "another domain, all the keywords"


def generate_pairs(num_pairs: int, seed: int = 0, resumes_per_job: int = 6) -> Iterator[dict[str, Any]]:
    """Generates labelled pairs, job after job; the same arguments give the same pairs on every machine.

    A longer run starts with the pairs of a shorter one. Each job meets candidates of all four categories.

    Args:
        seed: another seed gives other pairs.
        resumes_per_job: how many candidates each job meets.

    Yields:
        Rows with the texts, ``score``, ``category``, ``reasoning``, and the truth they were written from.

    Raises:
        ValueError: ``num_pairs`` or ``resumes_per_job`` is below 1.
    """
    if num_pairs < 1 or resumes_per_job < 1:
        raise ValueError("num_pairs and resumes_per_job must be 1 or more")
    catalog = load_catalog()
    names = list(catalog.occupations)
    for first in range(0, num_pairs, resumes_per_job):
        job_index = first // resumes_per_job
        # A generator of its own for each job: one more draw in one text leaves all later jobs as they were.
        rng = Random(f"{seed}/{job_index}")  # noqa: S311 - texts, not secrets
        cycle, place = divmod(job_index, len(names))
        order = Random(f"{seed}/order/{cycle}").sample(names, len(names))  # noqa: S311
        rows = _job_rows(order[place], catalog, rng, resumes_per_job)
        yield from rows[: num_pairs - first]


def _job_rows(occupation: str, catalog: Catalog, rng: Random, num_resumes: int) -> list[dict[str, Any]]:
    job = sample_job(catalog.occupations[occupation], rng)
    job_text = render_job(job, catalog, rng).text
    categories = list(ARCHETYPES)
    wanted = [
        category for _ in range(-(-num_resumes // len(categories))) for category in _shuffled(categories, rng)
    ]
    rows = []
    for category in wanted[:num_resumes]:
        candidate, kind = sample_candidate(job, category, catalog, rng)
        resume = render_resume(candidate, job, catalog, rng, is_evidenced=kind != _STUFFED)
        rows.append(labelled_row(job, candidate, job_text, resume))
    return rows


def _shuffled(items: list[str], rng: Random) -> list[str]:
    return rng.sample(items, len(items))


def labelled_row(job: JobProfile, candidate: CandidateProfile, job_text: str, resume: str) -> dict[str, Any]:
    """Returns a row of a data set: the two texts, the score, and the truth that they were written from."""
    score = match_score(job, candidate)
    return {
        "resume": resume,
        "job_description": job_text,
        "score": score,
        "category": category_of(score),
        "reasoning": reasoning(job, candidate),
        "job_title": job.title,
        "occupation": job.occupation,
        "required_skills": list(job.required_skills),
        "matched_skills": list(matched_skills(job, candidate)),
        "missing_skills": list(missing_skills(job, candidate)),
        "years_required": job.years_required,
        "years_relevant": round(relevant_years(job, candidate), 1),
        "experience_level": candidate.seniority,
        "education_required": job.education_required,
        "education_held": candidate.education_level,
        "meets_education": meets_education(job, candidate),
    }


def reasoning(job: JobProfile, candidate: CandidateProfile) -> str:
    """Returns why the score is what it is, in two to four sentences without the candidate's name."""
    matched, missing = matched_skills(job, candidate), missing_skills(job, candidate)
    shown = f" ({enumeration(matched)})" if matched else ""
    sentences = [f"Shows {len(matched)} of {len(job.required_skills)} required skills{shown}."]
    if missing:
        sentences.append(f"Missing: {enumeration(missing)}.")
    years = f"{relevant_years(job, candidate):.1f} relevant years"
    level = f"{candidate.seniority} level for a {job.seniority} position"
    sentences.append(f"{years}, {job.years_required} required; {level}.")
    unlicensed = [name for name in job.mandatory_licences if name not in candidate.licences]
    if unlicensed:
        sentences.append(f"Does not hold {enumeration(unlicensed)}, without which the work is not allowed.")
    elif not meets_education(job, candidate):
        sentences.append(f"Education is below the {job.education_required} level required.")
    return " ".join(sentences)
