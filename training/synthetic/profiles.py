"""The hidden truth of a pair: what a job needs and what a candidate brings, before any text exists."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Seniority = Literal["junior", "mid", "senior", "lead"]
EducationLevel = Literal["none", "associate", "bachelor", "master", "doctorate"]

#: Lowest first.
SENIORITIES: tuple[Seniority, ...] = get_args(Seniority)
EDUCATION_LEVELS: tuple[EducationLevel, ...] = get_args(EducationLevel)

#: Every "present" in a resume is this month: with the clock's, a seed would give other texts next year.
REFERENCE_YEAR = 2025
REFERENCE_MONTH = REFERENCE_YEAR * 12 + 5


@dataclass(frozen=True, slots=True)
class JobProfile:
    """What a job needs.

    Attributes:
        occupation: the occupation's name in the catalog.
        title: the advertised title.
        seniority: the level wanted.
        years_required: years of relevant experience wanted.
        required_skills: names of the skills that the score counts.
        preferred_skills: names of skills that are a plus.
        education_required: the lowest level wanted.
        degree_fields: fields of study that fit.
        mandatory_licences: names of licences without which nobody may do the work.
        preferred_licences: names of licences that are a plus.
        transfer: how much a year in another occupation counts here, 0 to 1; absent is 0, the own one is 1.
    """

    occupation: str
    title: str
    seniority: Seniority
    years_required: int
    required_skills: tuple[str, ...]
    preferred_skills: tuple[str, ...]
    education_required: EducationLevel
    degree_fields: tuple[str, ...]
    mandatory_licences: tuple[str, ...]
    preferred_licences: tuple[str, ...]
    transfer: Mapping[str, float]

    def transfer_from(self, occupation: str) -> float:
        """Returns how much a year in an occupation counts for this job, 0 to 1."""
        return 1.0 if occupation == self.occupation else self.transfer.get(occupation, 0.0)


@dataclass(frozen=True, slots=True)
class Role:
    """One position that a candidate held.

    Attributes:
        occupation: the occupation's name in the catalog.
        title: the title held.
        seniority: the title's level.
        employer: the employer's name.
        place: city and state.
        start_month: first month, as year * 12 + month - 1.
        end_month: the month after the last one, or None while the role lasts.
    """

    occupation: str
    title: str
    seniority: Seniority
    employer: str
    place: str
    start_month: int
    end_month: int | None

    @property
    def num_months(self) -> int:
        """Returns how long the role lasted up to the reference month."""
        return (REFERENCE_MONTH if self.end_month is None else self.end_month) - self.start_month


@dataclass(frozen=True, slots=True)
class CandidateProfile:
    """What a candidate brings.

    Attributes:
        name: full name; never scored.
        place: city and state; never scored.
        seniority: level of the latest role.
        roles: positions, latest first, without overlap.
        skills: names of all skills held.
        education_level: highest level held.
        degree_field: field of the highest degree; empty without one.
        school: where the highest degree is from.
        graduation_year: when; never scored.
        licences: names of licences held.
        pending_licences: names of licences named as not yet held.
    """

    name: str
    place: str
    seniority: Seniority
    roles: tuple[Role, ...]
    skills: tuple[str, ...]
    education_level: EducationLevel
    degree_field: str
    school: str
    graduation_year: int
    licences: tuple[str, ...]
    pending_licences: tuple[str, ...] = ()


def matched_skills(job: JobProfile, candidate: CandidateProfile) -> tuple[str, ...]:
    """Returns the required skills that the candidate holds, in the job's order."""
    return tuple(skill for skill in job.required_skills if skill in candidate.skills)


def missing_skills(job: JobProfile, candidate: CandidateProfile) -> tuple[str, ...]:
    """Returns the required skills that the candidate does not hold, in the job's order."""
    return tuple(skill for skill in job.required_skills if skill not in candidate.skills)


def relevant_years(job: JobProfile, candidate: CandidateProfile) -> float:
    """Returns the candidate's years, each weighted by how far its occupation transfers to the job."""
    return sum(role.num_months / 12 * job.transfer_from(role.occupation) for role in candidate.roles)


def meets_education(job: JobProfile, candidate: CandidateProfile) -> bool:
    """Returns whether the level held reaches the level required, whatever the field."""
    return education_shortfall(job, candidate) == 0


def education_shortfall(job: JobProfile, candidate: CandidateProfile) -> int:
    """Returns how many levels the candidate's education lies below the required one."""
    required, held = (
        EDUCATION_LEVELS.index(level) for level in (job.education_required, candidate.education_level)
    )
    return max(0, required - held)
