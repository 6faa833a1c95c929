"""The label: how well a candidate's hidden truth fits a job's.

Points are added up, then the lowest ceiling holds. A ceiling stands where no amount of anything else makes up
for what is missing: a perfect career without the skills, all the skills without the career, no licence. Only
what the job asks for is read: no name, place, date of graduation or gap between roles, nothing of the text.
"""

from training.synthetic.profiles import (
    SENIORITIES,
    CandidateProfile,
    JobProfile,
    education_shortfall,
    matched_skills,
    relevant_years,
)

SKILL_POINTS = 55.0
YEARS_POINTS = 22.0
LEVEL_POINTS = 9.0
EDUCATION_POINTS = 9.0
PREFERRED_POINTS = 5.0

#: Reached when a mandatory licence is missing, whatever else is there: still poor.
UNLICENSED_CEILING = 40.0
#: Reached when no role is in a related occupation, however many of the skills are listed.
OTHER_DOMAIN_CEILING = 25.0
#: Reached when the candidate is two or more levels below the job's.
FAR_BELOW_CEILING = 60.0

_LEVEL_CREDIT_LOST_BELOW = 0.5
_LEVEL_CREDIT_LOST_ABOVE = 0.25
_OTHER_FIELD_CREDIT = 0.7
_ONE_LEVEL_SHORT_CREDIT = 0.4


def match_score(job: JobProfile, candidate: CandidateProfile) -> int:
    """Returns how well the candidate fits the job, 0 to 100.

    Coverage of the required skills weighs most, then relevant years against those needed, seniority,
    education and preferred extras.
    """
    coverage = len(matched_skills(job, candidate)) / len(job.required_skills)
    years = _years_credit(job, candidate)
    points = (
        SKILL_POINTS * coverage
        + YEARS_POINTS * years
        + LEVEL_POINTS * _level_credit(job, candidate)
        + EDUCATION_POINTS * _education_credit(job, candidate)
        + PREFERRED_POINTS * _preferred_credit(job, candidate)
    )
    # Two thirds of the skills, or of the years, are needed before excellent is in reach.
    ceilings = [100.0, 20 + 100 * coverage, 50 + 50 * years]
    if any(licence not in candidate.licences for licence in job.mandatory_licences):
        ceilings.append(UNLICENSED_CEILING)
    if _closest_domain(job, candidate) == 0:
        ceilings.append(OTHER_DOMAIN_CEILING)
        # Years, level and a degree earned in another domain are worth a fraction of what they are here.
        points = points * OTHER_DOMAIN_CEILING / 100
    if _levels_above(job, candidate) <= -2:
        ceilings.append(FAR_BELOW_CEILING)
    return round(min(points, *ceilings))


def _years_credit(job: JobProfile, candidate: CandidateProfile) -> float:
    if job.years_required == 0:
        return 1.0
    return min(1.0, relevant_years(job, candidate) / job.years_required)


def _levels_above(job: JobProfile, candidate: CandidateProfile) -> int:
    return SENIORITIES.index(candidate.seniority) - SENIORITIES.index(job.seniority)


def _level_credit(job: JobProfile, candidate: CandidateProfile) -> float:
    above = _levels_above(job, candidate)
    lost = _LEVEL_CREDIT_LOST_ABOVE * above if above > 0 else -_LEVEL_CREDIT_LOST_BELOW * above
    return max(0.0, 1.0 - lost)


def _education_credit(job: JobProfile, candidate: CandidateProfile) -> float:
    shortfall = education_shortfall(job, candidate)
    if shortfall == 0:
        fits = job.education_required == "none" or candidate.degree_field in job.degree_fields
        return 1.0 if fits else _OTHER_FIELD_CREDIT
    return _ONE_LEVEL_SHORT_CREDIT if shortfall == 1 else 0.0


def _preferred_credit(job: JobProfile, candidate: CandidateProfile) -> float:
    wanted = len(job.preferred_skills) + len(job.preferred_licences)
    if wanted == 0:
        return 1.0
    held = sum(skill in candidate.skills for skill in job.preferred_skills)
    held += sum(licence in candidate.licences for licence in job.preferred_licences)
    return held / wanted


def _closest_domain(job: JobProfile, candidate: CandidateProfile) -> float:
    return max((job.transfer_from(role.occupation) for role in candidate.roles), default=0.0)
