"""What a resume copies out of its job is found, in every order of words; what it shares with it is not."""

import random
from collections.abc import Callable

import pytest

from services.scoring.reading.attacks.copied_job import copied_spans
from training.plain_cases.cases import read_cases
from training.plain_cases.figures import plain_pairs

JOB = """Registered nurse for a twelve-bed intensive care unit. You titrate vasopressors under protocol,
manage ventilated patients with the respiratory therapist, and run continuous dialysis.
You precept new graduates through their first winter and carry the rapid response telephone.
We ask for two years of adult critical care, BLS and ACLS on the first day, and a licence for this state.
CCRN is welcome but not needed. Night differential, tuition support, no mandatory overtime."""
OWN = ["Cashier at a grocery shop, 2019 to 2024", "Counted the till each evening", "Trained four students"]
FOREIGN = ("marble", "otter", "violet", "kayak", "lantern")


def _strewn(every: int) -> Callable[[str, random.Random], str]:
    def strew(text: str, chance: random.Random) -> str:
        return " ".join(
            f"{word} {chance.choice(FOREIGN)}" if at % every == every - 1 else word
            for at, word in enumerate(text.split())
        )

    return strew


def _bullets(text: str, chance: random.Random) -> str:
    words = text.split()
    phrases = [" ".join(words[at : at + 5]) for at in range(0, len(words), 5)]
    chance.shuffle(phrases)
    return "\n".join(f"- {phrase}" for phrase in phrases)


def _shuffled(text: str, chance: random.Random) -> str:
    words = text.split()
    chance.shuffle(words)
    return " ".join(words)


def _paraphrased(text: str, chance: random.Random) -> str:
    return " ".join(chance.choice(FOREIGN) if chance.random() < 0.15 else word for word in text.split())


COPIES: dict[str, Callable[[str, random.Random], str]] = {
    "whole": lambda text, _: text,
    "upper case": lambda text, _: text.upper(),
    "a third": lambda text, _: "\n".join(text.split("\n")[1:3]),
    "one foreign word after each 18": _strewn(18),
    "one foreign word after each 2": _strewn(2),
    "one foreign word after each": _strewn(1),
    "phrases in another order": _bullets,
    "words in another order": _shuffled,
    "paraphrased lightly": _paraphrased,
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("seed", range(5))
def test_a_copy_goes_and_the_resume_stays(copy: Callable[[str, random.Random], str], seed: int) -> None:
    copied = copy(JOB, random.Random(seed))
    resume = "\n".join([*OWN, copied, *reversed(OWN)])

    left, at = "", 0
    for start, end in copied_spans(resume, JOB):
        left += resume[at:start]
        at = end
    left += resume[at:]

    assert all(line in left for line in OWN)
    own_characters = len(resume) - len(copied)
    assert len(left) - own_characters < 0.25 * len(copied)


def test_no_plain_case_is_a_copy_of_its_job() -> None:
    pairs = plain_pairs([*read_cases("train"), *read_cases("unseen")])

    assert [pair for pair in pairs if copied_spans(pair.resume, pair.job_description)] == []


@pytest.mark.parametrize("job", ["", "Nurse", "Nurse for nights"])
def test_a_job_of_few_words_is_copied_by_nobody(job: str) -> None:
    assert copied_spans("Nurse for nights " * 20, job) == []
