"""Realistic synthetic jobs and resumes for throughput tests and benchmarks; the same seed, the same texts."""

from dataclasses import dataclass
from random import Random

from tests.work_set_phrases import (
    CITIES,
    CLOSINGS,
    COMMON_ACHIEVEMENTS,
    COMMON_DEMANDS,
    COMMON_DUTIES,
    FIRST_NAMES,
    HABITS,
    LAST_NAMES,
    OCCUPATIONS,
    OPENINGS,
    SCHOOLS,
    SUMMARIES,
    Occupation,
)

RESUME_CHARACTERS = 1_090
# Of such texts, with Gemma's tokenizer; only to choose lengths by.
CHARACTERS_PER_TOKEN = 3.6
SHORTEST_TOKENS = 100
LONGEST_TOKENS = 1_500
SHORT_CHARACTERS = 600
LAST_YEAR = 2024


@dataclass(frozen=True)
class Job:
    """One synthetic job."""

    job_id: str
    title: str
    description: str


def jobs(num: int) -> list[Job]:
    """Returns jobs of about 350 tokens, each different, over all occupations in turn."""
    return [_job(index) for index in range(num)]


def resumes(num: int, seed: int) -> list[str]:
    """Returns resumes of about 310 tokens, each different, over all occupations in turn."""
    random = Random(f"resumes-{seed}")
    return [_resume(random, OCCUPATIONS[index % len(OCCUPATIONS)], RESUME_CHARACTERS) for index in range(num)]


def mixed_length_resumes(num: int, seed: int) -> list[str]:
    """Returns resumes of about 100 to 1,500 tokens, short ones as frequent as long ones on a ratio scale."""
    random = Random(f"mixed-{seed}")
    ratio = LONGEST_TOKENS / SHORTEST_TOKENS
    found = []
    for _ in range(num):
        tokens = SHORTEST_TOKENS * ratio ** random.random()
        found.append(_resume(random, random.choice(OCCUPATIONS), round(tokens * CHARACTERS_PER_TOKEN)))
    return found


def _job(index: int) -> Job:
    random = Random(f"job-{index}")
    occupation = OCCUPATIONS[index % len(OCCUPATIONS)]
    title = random.choice(occupation.titles)
    opening = random.choice(OPENINGS).format(
        employer=random.choice(occupation.employers), city=random.choice(CITIES), n=_number(random)
    )
    sections = [
        f"{opening} You will work as a {title} and report to the head of the group.",
        _bullets("What you will do", _filled(random, occupation.duties) + _filled(random, COMMON_DUTIES)[:2]),
        _bullets("What we need", _filled(random, occupation.demands) + _filled(random, COMMON_DEMANDS)[:2]),
        "Helpful, but not needed: " + ", ".join(_shuffled(random, occupation.skills)[:5]) + ".",
        random.choice(HABITS).format(n=_number(random)),
        random.choice(CLOSINGS).format(n=_number(random)),
    ]
    return Job(f"job-{index}", title, "\n\n".join(sections))


def _resume(random: Random, occupation: Occupation, num_characters: int) -> str:
    name = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
    title = random.choice(occupation.titles)
    head = [
        f"{name.upper()}\n{random.choice(CITIES)} | (555) 555-01{random.randrange(100):02d} | "
        f"{name.lower().replace(' ', '.')}@example.com",
        "SUMMARY\n" + random.choice(SUMMARIES).format(title=title, n=_number(random)),
    ]
    tail = [
        f"EDUCATION\n{occupation.degree}, {random.choice(SCHOOLS)}, {random.randrange(1990, 2012)}",
        "SKILLS\n" + ", ".join(_shuffled(random, occupation.skills)),
    ]
    if num_characters < SHORT_CHARACTERS:
        head.pop()  # the shortest ones go straight to the point
    room = num_characters - len("\n\n".join([*head, *tail]))
    return "\n\n".join([*head, *_experience(random, occupation, room), *tail])


def _experience(random: Random, occupation: Occupation, num_characters: int) -> list[str]:
    """Fills the room with positions, the newest first."""
    positions: list[str] = []
    year = LAST_YEAR
    while sum(map(len, positions)) < num_characters:
        start = year - random.randrange(1, 5)
        heading = f"{random.choice(occupation.titles)}, {random.choice(occupation.employers)}, {start}-{year}"
        missing = num_characters - sum(map(len, positions)) - len(heading)
        lines: list[str] = []
        pool = _filled(random, (*occupation.achievements, *COMMON_ACHIEVEMENTS))[: random.randrange(4, 11)]
        while pool and sum(map(len, lines)) < missing:
            lines.append(pool.pop())
        positions.append(_bullets(heading, lines))
        year = start
    return positions


def _bullets(heading: str, lines: list[str]) -> str:
    return "\n".join([heading, *(f"- {line}" for line in lines)])


def _filled(random: Random, phrases: tuple[str, ...]) -> list[str]:
    return [phrase.format(n=_number(random)) for phrase in _shuffled(random, phrases)]


def _shuffled(random: Random, phrases: tuple[str, ...]) -> list[str]:
    return random.sample(phrases, len(phrases))


def _number(random: Random) -> int:
    return random.randrange(2, 10)
