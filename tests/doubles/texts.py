"""Jobs and resumes for load, faults and speed, out of ``training.synthetic``: one seed, the same texts."""

from dataclasses import dataclass
from random import Random

from training.synthetic.generator import generate_pairs

_JOBS_SEED = 1
_RESUMES_PER_JOB = 10  # all four categories of candidates
RESUME_CHARACTERS = 1_200
# Of such texts, with Gemma's tokenizer; only to choose lengths by.
_CHARACTERS_PER_TOKEN = 3.9
SHORTEST_TOKENS, LONGEST_TOKENS = 100, 1_500


@dataclass(frozen=True)
class Job:
    """One invented job."""

    job_id: str
    title: str
    description: str


def jobs(num: int) -> list[Job]:
    """Returns jobs of about 280 tokens, each different, over all occupations in turn."""
    rows = generate_pairs(num, _JOBS_SEED, resumes_per_job=1)
    return [Job(f"job-{number}", row["job_title"], row["job_description"]) for number, row in enumerate(rows)]


def resumes(num: int, seed: int) -> list[str]:
    """Returns resumes of about 300 tokens, each different; a longer list starts like a shorter one."""
    rows = generate_pairs(num, seed, resumes_per_job=_RESUMES_PER_JOB)
    return [_cut(row["resume"], RESUME_CHARACTERS) for row in rows]


def mixed_length_resumes(num: int, seed: int) -> list[str]:
    """Returns resumes of about 100 to 1,500 tokens, short ones as frequent as long ones on a ratio scale."""
    random = Random(f"mixed-{seed}")
    wanted = [
        round(_CHARACTERS_PER_TOKEN * SHORTEST_TOKENS * (LONGEST_TOKENS / SHORTEST_TOKENS) ** random.random())
        for _ in range(num)
    ]
    rows = (row["resume"] for row in generate_pairs(16 * num, seed, resumes_per_job=_RESUMES_PER_JOB))
    found = []
    for num_characters in wanted:
        text = next(rows)
        while len(text) < num_characters:
            text += "\n\n" + next(rows)
        found.append(_cut(text, num_characters))
    return found


def _cut(text: str, num_characters: int) -> str:
    """Returns the words that fit."""
    return text if len(text) <= num_characters else text[:num_characters].rsplit(None, 1)[0]
