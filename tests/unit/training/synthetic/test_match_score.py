"""The label: each part of it moves the score the right way, and nothing else moves it."""

from dataclasses import replace
from random import Random

import pytest

from training.synthetic.match_score import OTHER_DOMAIN_CEILING, UNLICENSED_CEILING, match_score
from training.synthetic.occupations import load_catalog
from training.synthetic.profile_sampling import sample_candidate, sample_job
from training.synthetic.profiles import CandidateProfile, JobProfile


def drawn(occupation: str, category: str, seed: int) -> tuple[JobProfile, CandidateProfile]:
    catalog, rng = load_catalog(), Random(seed)
    job = sample_job(catalog.occupations[occupation], rng)
    return job, sample_candidate(job, category, catalog, rng)[0]


@pytest.mark.parametrize("seed", range(20))
def test_gaining_a_missing_skill_never_lowers_the_score(seed: int) -> None:
    job, candidate = drawn("auditor", "fair", seed)
    for skill in job.required_skills:
        richer = replace(candidate, skills=tuple({*candidate.skills, skill}))
        poorer = replace(candidate, skills=tuple(name for name in candidate.skills if name != skill))
        assert match_score(job, poorer) <= match_score(job, candidate) <= match_score(job, richer)


@pytest.mark.parametrize("seed", range(20))
def test_who_somebody_is_does_not_count(seed: int) -> None:
    job, candidate = drawn("electrician", "good", seed)
    other = replace(candidate, name="Somebody Else", place="Elsewhere, AK", school="A", graduation_year=1971)
    assert match_score(job, other) == match_score(job, candidate)


@pytest.mark.parametrize("seed", range(10))
def test_without_a_mandatory_licence_nobody_passes(seed: int) -> None:
    job, candidate = drawn("registered nurse", "excellent", seed)
    pending = replace(candidate, licences=(), pending_licences=job.mandatory_licences)
    assert match_score(job, candidate) > UNLICENSED_CEILING
    assert match_score(job, pending) <= UNLICENSED_CEILING


@pytest.mark.parametrize("seed", range(10))
def test_keywords_without_a_career_stay_poor(seed: int) -> None:
    job, candidate = drawn("software engineer", "excellent", seed)
    roles = tuple(replace(role, occupation="truck driver") for role in candidate.roles)
    stuffed = replace(candidate, roles=roles, skills=job.required_skills)
    assert match_score(job, stuffed) <= OTHER_DOMAIN_CEILING
