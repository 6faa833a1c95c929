"""Changed texts keep their meaning, and say so in the label where they do not quite."""

import random

from training.pairs.dataset import LabelledPair, Pair
from training.planning.augmentation import add_resume_noise, augment, paraphrase_job, shuffle_sections

JOB = (
    "Nurse\n\nWe are looking for a nurse with at least two years of experience."
    "\n\nRequirements\nLicence\n\nBenefits\nPay"
)
RESUME = "Anna Example\n" + "\n".join(f"Worked carefully in ward number {number}" for number in range(40))


def test_a_paraphrase_changes_the_words_and_keeps_names_and_numbers() -> None:
    variants = {paraphrase_job(JOB, random.Random(seed)) for seed in range(20)}

    assert len(variants) > 5
    for text in variants:
        assert "nurse" in text
        assert "two years" in text
        assert text.startswith("Nurse\n\nWe ")


def test_sections_change_places_behind_the_first() -> None:
    variants = {shuffle_sections(JOB, random.Random(seed)) for seed in range(20)}

    assert len(variants) == 6
    for text in variants:
        assert text.startswith("Nurse\n\n")
        assert sorted(text.split("\n\n")) == sorted(JOB.split("\n\n"))


def test_noise_drops_few_lines_never_the_first_and_misspells_few_words() -> None:
    noisy = add_resume_noise(RESUME, random.Random(3))

    lines = noisy.split("\n")
    assert lines[0] == "Anna Example"
    assert 30 <= len(lines) < 41
    changed = set(noisy.split()) - set(RESUME.split())
    assert changed
    assert all(sorted(word) in [sorted(known) for known in RESUME.split()] for word in changed)


def test_a_noisy_resume_costs_two_points_and_another_wording_of_the_job_none() -> None:
    labelled = LabelledPair(Pair(1, RESUME, JOB, {}), 86.0, "excellent")

    changed = [augment(labelled, random.Random(seed)) for seed in range(40)]

    for found in changed:
        if found.pair.resume != RESUME:
            assert (found.score, found.category) == (84.0, "good")
            assert found.pair.job_description == JOB
    reworded = [found for found in changed if found.pair.job_description != JOB]
    assert 8 < len(reworded) < 32
    assert {(found.score, found.category) for found in reworded} == {(86.0, "excellent")}


def test_no_score_falls_below_zero() -> None:
    labelled = LabelledPair(Pair(1, RESUME, JOB, {}), 1.0, "poor")

    assert {augment(labelled, random.Random(seed)).score for seed in range(20)} == {0.0, 1.0}
