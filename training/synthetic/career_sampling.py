"""Draws the roles of a career, latest first, so that their dates add up to the years wanted."""

from dataclasses import dataclass
from random import Random

from training.synthetic.occupations import Catalog, Occupation, load_wording
from training.synthetic.profiles import REFERENCE_MONTH, SENIORITIES, Role, Seniority

#: Fewest and most years in an occupation at which a level is credible.
YEARS_OF_LEVEL: dict[Seniority, tuple[float, float]] = {
    "junior": (0.4, 3.0),
    "mid": (1.8, 8.0),
    "senior": (4.5, 17.0),
    "lead": (6.5, 24.0),
}
_MONTHS_PER_ROLE = 26
_MAX_ROLES = 4
_SHORTEST_ROLE = 5


@dataclass(frozen=True, slots=True)
class Career:
    """What a career must come to.

    Attributes:
        occupation: the occupation of its latest roles.
        seniority: the level of the latest role.
        years: years in that occupation.
    """

    occupation: Occupation
    seniority: Seniority
    years: float


def sample_career(career: Career, job_occupation: str, catalog: Catalog, rng: Random) -> tuple[Role, ...]:
    """Draws the roles of a career; some had other work before.

    Args:
        career: what the career must come to.
        job_occupation: the occupation applied for; earlier work in it would make its years untrue.
        rng: the only source of chance.
    """
    months = max(round(career.years * 12), _SHORTEST_ROLE)
    end = REFERENCE_MONTH if rng.random() < 0.8 else REFERENCE_MONTH - rng.randint(1, 10)
    roles: list[Role] = []
    level = SENIORITIES.index(career.seniority)
    for length in _split(months, rng):
        roles.append(_role(career.occupation, SENIORITIES[level], end, length, rng))
        end = roles[-1].start_month - _gap(rng)
        level = max(level - (1 if rng.random() < 0.75 else 0), 0)
    if rng.random() < 0.35:
        before = _earlier_work(career.occupation, job_occupation, catalog, rng)
        roles.append(_role(before, "junior", end, rng.randint(6, 34), rng))
    return tuple(roles)


def _split(months: int, rng: Random) -> list[int]:
    most = min(_MAX_ROLES, 1 + months // _MONTHS_PER_ROLE)
    num_roles = rng.randint(max(1, most - 1), most)
    shares = [rng.uniform(0.6, 1.4) for _ in range(num_roles)]
    lengths = [max(_SHORTEST_ROLE, round(months * share / sum(shares))) for share in shares]
    # Rounding must not change the total: the label counts these very months.
    lengths[0] = max(_SHORTEST_ROLE, lengths[0] + months - sum(lengths))
    return lengths


def _gap(rng: Random) -> int:
    return rng.randint(8, 28) if rng.random() < 0.12 else rng.randint(0, 2)


def _earlier_work(occupation: Occupation, job_occupation: str, catalog: Catalog, rng: Random) -> Occupation:
    others = [
        other
        for other in catalog.occupations.values()
        if other.name not in (occupation.name, job_occupation)
        and other.family != catalog.occupations[job_occupation].family
        and other.education in ("none", "associate")
        and not any(licence.is_mandatory for licence in other.licences)
        and other.name not in catalog.occupations[job_occupation].related
    ]
    return rng.choice(others) if others else occupation


def _role(occupation: Occupation, seniority: Seniority, end: int, months: int, rng: Random) -> Role:
    people = load_wording("people")
    return Role(
        occupation=occupation.name,
        title=rng.choice(occupation.titles[seniority]),
        seniority=seniority,
        employer=f"{rng.choice(people['employer_words'])} {rng.choice(occupation.employer_suffixes)}",
        place=rng.choice(people["places"]),
        start_month=end - months,
        end_month=None if end == REFERENCE_MONTH else end,
    )
