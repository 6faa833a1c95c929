"""Draws the hidden truth of jobs and candidates."""

from random import Random

from services.contracts.scoring import category_of
from training.synthetic.archetypes import ARCHETYPES, UNLICENSED, Archetype
from training.synthetic.career_sampling import YEARS_OF_LEVEL, Career, sample_career
from training.synthetic.match_score import match_score
from training.synthetic.occupations import Catalog, Occupation, load_wording
from training.synthetic.profiles import (
    EDUCATION_LEVELS,
    REFERENCE_YEAR,
    SENIORITIES,
    CandidateProfile,
    EducationLevel,
    JobProfile,
    Seniority,
)

_YEARS_REQUIRED: dict[Seniority, tuple[int, int]] = {
    "junior": (0, 1),
    "mid": (2, 4),
    "senior": (5, 7),
    "lead": (7, 10),
}
_MAX_DRAWS = 60
# A year of experience that hardly transfers would take a working life to reach the years needed.
_LOWEST_DIVISOR = 0.3


def sample_job(occupation: Occupation, rng: Random) -> JobProfile:
    """Draws what one job of an occupation needs."""
    seniority = rng.choices(SENIORITIES, weights=(2, 4, 4, 2))[0]
    num_core = min(len(occupation.core_skills), rng.randint(4, 6))
    num_extra = min(len(occupation.extra_skills) - 1, rng.randint(1, 2))
    extras = rng.sample(occupation.extra_skills, len(occupation.extra_skills))
    required = [*rng.sample(occupation.core_skills, num_core), *extras[:num_extra]]
    rng.shuffle(required)
    voluntary = [licence.name for licence in occupation.licences if not licence.is_mandatory]
    return JobProfile(
        occupation=occupation.name,
        title=rng.choice(occupation.titles[seniority]),
        seniority=seniority,
        years_required=rng.randint(*_YEARS_REQUIRED[seniority]),
        required_skills=tuple(required),
        preferred_skills=tuple(extras[num_extra : num_extra + rng.randint(1, 3)]),
        education_required=_education_required(occupation, seniority, rng),
        degree_fields=occupation.degree_fields,
        mandatory_licences=tuple(licence.name for licence in occupation.licences if licence.is_mandatory),
        preferred_licences=tuple(voluntary[:1] if rng.random() < 0.5 else ()),
        transfer=occupation.related,
    )


def sample_candidate(
    job: JobProfile, category: str, catalog: Catalog, rng: Random
) -> tuple[CandidateProfile, str]:
    """Draws a candidate whose score lies in a category.

    Args:
        category: the category wanted; missed only where none of many draws falls into it.
        rng: the only source of chance.

    Returns:
        The candidate and the name of its kind.
    """
    kinds = ARCHETYPES[category]
    if category == "poor" and job.mandatory_licences:
        kinds = (*kinds, UNLICENSED, UNLICENSED)
    # One kind is kept for several draws: easy kinds would otherwise crowd out the near misses.
    order = rng.sample(kinds, len(kinds))
    for draw in range(_MAX_DRAWS):
        kind = order[(draw // 8) % len(order)]
        candidate = _candidate(job, kind, catalog, rng)
        if category_of(match_score(job, candidate)) == category:
            break
    return candidate, kind.name


def _education_required(occupation: Occupation, seniority: Seniority, rng: Random) -> EducationLevel:
    usual = EDUCATION_LEVELS.index(occupation.education)
    if usual and rng.random() < 0.12:
        return EDUCATION_LEVELS[usual - 1]
    if usual in (1, 2) and seniority in ("senior", "lead") and rng.random() < 0.12:
        return EDUCATION_LEVELS[usual + 1]
    return occupation.education


def _candidate(job: JobProfile, kind: Archetype, catalog: Catalog, rng: Random) -> CandidateProfile:
    origin = _origin(job, kind, catalog, rng)
    seniority = _shifted_level(job.seniority, rng.choice(kind.level_shifts))
    transfer = job.transfer_from(origin.name) or 1.0
    wanted = rng.uniform(*kind.years_factor) * max(job.years_required, 1) / max(transfer, _LOWEST_DIVISOR)
    lowest, highest = YEARS_OF_LEVEL[seniority]
    career = sample_career(
        Career(origin, seniority, min(max(wanted, lowest), highest)), job.occupation, catalog, rng
    )
    education = _education(job, kind, origin, rng)
    first_start = min(role.start_month for role in career)
    people = load_wording("people")
    licences, pending = _licences(job, kind, origin, rng)
    return CandidateProfile(
        name=f"{rng.choice(people['first_names'])} {rng.choice(people['last_names'])}",
        place=rng.choice(people["places"]),
        seniority=seniority,
        roles=career,
        skills=_skills(job, kind, origin, rng),
        education_level=education,
        degree_field=_degree_field(job, origin, education, rng),
        school=rng.choice(people["high_schools" if education == "none" else "schools"]),
        graduation_year=min(first_start // 12 - rng.randint(0, 1), REFERENCE_YEAR - 1),
        licences=licences,
        pending_licences=pending,
    )


def _origin(job: JobProfile, kind: Archetype, catalog: Catalog, rng: Random) -> Occupation:
    own = catalog.occupations[job.occupation]
    if kind.origin == "same":
        return own
    if kind.origin == "related":
        names = [
            name
            for name, degree in job.transfer.items()
            if degree >= kind.lowest_transfer and name in catalog.occupations
        ]
        return catalog.occupations[rng.choice(names)] if names else own
    strangers = [other for other in catalog.occupations.values() if job.transfer_from(other.name) == 0]
    in_family = [other for other in strangers if other.family == own.family]
    elsewhere = [other for other in strangers if other.family != own.family]
    return rng.choice(in_family if kind.origin == "family" and in_family else elsewhere)


def _shifted_level(seniority: Seniority, shift: int) -> Seniority:
    return SENIORITIES[min(max(SENIORITIES.index(seniority) + shift, 0), len(SENIORITIES) - 1)]


def _skills(job: JobProfile, kind: Archetype, origin: Occupation, rng: Random) -> tuple[str, ...]:
    num_held = round(rng.uniform(*kind.coverage) * len(job.required_skills))
    held = rng.sample(job.required_skills, num_held)
    # The job's core is what a fitting candidate also has most of, so the plus points go with the coverage.
    held += [skill for skill in job.preferred_skills if rng.random() < num_held / len(job.required_skills)]
    own = [skill for skill in origin.skills if skill not in job.required_skills + job.preferred_skills]
    num_own = rng.randint(2, 5) if kind.origin == "same" else rng.randint(3, 7)
    # Whoever has few of the required skills has others: a short list alone would give the score away.
    num_own = max(num_own, 5 - len(held))
    held += rng.sample(own, min(num_own, len(own)))
    rng.shuffle(held)
    return tuple(held)


def _education(job: JobProfile, kind: Archetype, origin: Occupation, rng: Random) -> EducationLevel:
    if kind.origin == "other" and rng.random() < 0.6:
        return origin.education
    index = EDUCATION_LEVELS.index(job.education_required) + rng.choice(kind.education_shifts)
    # A doctorate is held only where an occupation asks for one close to it.
    highest = max(EDUCATION_LEVELS.index("bachelor"), EDUCATION_LEVELS.index(job.education_required))
    return EDUCATION_LEVELS[min(max(index, 0), min(highest + 1, len(EDUCATION_LEVELS) - 1))]


def _degree_field(job: JobProfile, origin: Occupation, education: EducationLevel, rng: Random) -> str:
    if education == "none":
        return ""
    fields = origin.degree_fields if job.transfer_from(origin.name) < 1 else job.degree_fields
    if rng.random() < 0.1:
        return rng.choice(("History", "Biology", "Sociology", "English Literature", "Philosophy"))
    return rng.choice(fields)


def _licences(
    job: JobProfile, kind: Archetype, origin: Occupation, rng: Random
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    is_near = job.transfer_from(origin.name) > 0
    own = [licence for licence in origin.licences if licence.name not in job.mandatory_licences]
    held = [licence.name for licence in own if licence.is_mandatory or rng.random() < 0.3]
    if kind.is_licensed and is_near:
        return (*job.mandatory_licences, *held), ()
    # A licence that is named as expired or applied for is the hardest case: its words are all there.
    pending = job.mandatory_licences if is_near and rng.random() < 0.5 else ()
    return tuple(held), tuple(pending)
