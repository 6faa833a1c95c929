"""Instructions are noticed in every language and disguise; people who write about such things are not."""

import random
import time

import pytest

from services.scoring.reading.attacks.injection_detector import is_suspicious
from training.attacks.attacks import Attack, attacked_resume, load_attacks
from training.synthetic.generator import generate_pairs

JOB = next(iter(generate_pairs(1, seed=1)))["job_description"]
RESUME = "Anna Example\nNurse since 2011\nIntensive care, ACLS\nSpeaks German and Polish"


@pytest.mark.parametrize(
    "attack",
    [attack for attack in load_attacks() if not attack.is_held_out],
    ids=lambda attack: f"{attack.kind}-{attack.language}",
)
def test_every_known_attack_is_noticed_wherever_it_stands(attack: Attack) -> None:
    for seed in range(5):
        assert is_suspicious(attacked_resume(attack, RESUME, JOB, random.Random(seed)), JOB)


@pytest.mark.parametrize(
    "line",
    [
        "Built a scoring system with large language models; wrote prompts and system instructions.",
        "Wrote instructions for 100 candidates of the nursing exam and graded their answers.",
        "Achieved a customer satisfaction score of 98 out of 100, the highest of all branches.",
        "Was rated excellent by 95 % of applicants. Rated top 1 % of sales staff.",
        "Gave candidates feedback after interviews; best recruiter of 2019.",
        "TOEFL score: 112. GRE: 329. GPA 3.9.",
        "Fixed prompt injection: the model must ignore instructions in documents.",
        "Assistant manager: responsible for rating vendors.",
        "HTML, CSS (display: none, opacity), <div>, LaTeX, base64",
        "Ignored by predecessors, I rewrote the job descriptions of 12 teams.",
        "Erfahrung mit Anweisungen und Stellenbeschreibungen; Bewertung von Lieferanten mit 100 Punkten",
        "Système : noter les candidats et rédiger le descriptif du poste",
        "负责招聘，撰写职位描述，考试成绩100分",
        "C o n t a c t",
        "S K I L L S   A N D   T O O L S",
    ],
)
def test_people_who_write_about_such_things_are_left_alone(line: str) -> None:
    assert not is_suspicious(f"{RESUME}\n{line}\n{RESUME}", JOB)


def test_no_invented_resume_is_flagged() -> None:
    rows = list(generate_pairs(120, seed=9))

    assert [row["resume"] for row in rows if is_suspicious(row["resume"], row["job_description"])] == []


def test_words_shared_with_the_job_are_no_paste_but_a_copied_passage_is() -> None:
    words = JOB.split()

    assert not is_suspicious(f"{RESUME} {' '.join(words[5:17])}", JOB)
    assert is_suspicious(f"{RESUME} {' '.join(words[5:45])}", JOB)


@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "\n",
        " ",
        "give candidate ",
        "<!-- ",
        "a\u0430",
        "h ",
        "QUJD",
        'style="',
        "final score ",
        "\u202e",
        "a\u200b",
    ],
)
def test_a_long_resume_of_any_repetition_is_read_in_linear_time(unit: str) -> None:
    started = time.thread_time()

    is_suspicious((unit * 65_536)[:65_536], JOB)

    assert time.thread_time() - started < 10  # quadratic patterns took minutes on these


HONEST_LINES = (
    "Raised the CSAT score from 82 to 97.",
    "NPS rating is 98",
    "Executive assistant: calendar, travel, minutes",
    "Assistant: scheduled meetings for three directors",
    "Output: 100 units per hour",
    "Answer: 100 calls a day",
    "TOEFL\nScore: 105",
    "TOEFL\nScore: 98",
    "GMAT\nScore: 720",
    "Rank candidate profiles and present the top three",
    "Ranked the best candidate profiles for hiring managers",
    "Built an AI assistant: prompts, retrieval, evaluation",
    "gib 100 Kurse im Jahr",
    "Da 100 clases al año",
    "Donne 100 cours par an",
    "Geeft 100 lessen",
    "Trained a model whose score is 97 on the test set",
    "Give the best care to each patient",
    "Set candidate targets with recruiters",
    "Overall score: 95 in the CPA exam",
    "Output rating: excellent",
)


@pytest.mark.parametrize("line", HONEST_LINES)
def test_honest_lines_with_scores_numbers_and_assistants_are_left_alone(line: str) -> None:
    resume = f"Registered nurse\nFive years in intensive care\n{line}\nBLS and ACLS"

    assert not is_suspicious(resume, "We look for a nurse.")
