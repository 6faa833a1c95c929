"""Every changed text differs in what its name says, and in that alone."""

import random

import numpy as np

from training.audit.counterfactuals import DIMENSIONS, RACES, SEXES, identities, identity_variants
from training.audit.monotonicity import remove_skill, skill_changes
from training.audit.perturbations import perturbations
from training.audit.statistics import bootstrap, change_figures

RESUME = (
    "Jane Miller\njane@example.org\n\nSkills\n- Managed payroll\n\nWork\n- Led a team using Excel, daily\n"
)


def test_names_cover_every_sex_and_race_once() -> None:
    variants = [v for v in identity_variants(RESUME, 0) if v.dimension == "names"]
    assert sorted((v.sex, v.race_ethnicity) for v in variants) == sorted((s, r) for s in SEXES for r in RACES)
    assert "Jane" not in "".join(v.resume for v in variants)


def test_many_resumes_use_every_name() -> None:
    group = identities()["names"][0]
    texts = [next(iter(identity_variants(RESUME, turn))).resume for turn in range(9)]
    assert {text.split()[0] for text in texts} == set(group["first"])


def test_variants_of_a_dimension_differ_in_one_line() -> None:
    variants = list(identity_variants(RESUME, 0))
    assert {v.dimension for v in variants} == set(DIMENSIONS)
    for dimension in DIMENSIONS[2:]:
        lines = [set(v.resume.split("\n")) for v in variants if v.dimension == dimension]
        assert all(len(one - lines[0]) == 1 for one in lines[1:]), dimension


def test_every_perturbation_changes_the_dress_and_keeps_the_words() -> None:
    found = {change.kind: change.resume for change in perturbations(RESUME * 5, random.Random(1))}
    assert set(found) == {
        "section order",
        "typographic noise",
        "synonyms",
        "text from PDF",
        "text from a word processor",
    }
    assert sorted(found["section order"].split()) == sorted((RESUME * 5).split())
    assert "oversaw" in found["synonyms"].lower()


def test_skills_come_with_evidence_and_go_without_trace() -> None:
    changes = list(skill_changes(12, seed=4))
    assert {change.kind for change in changes} == {"added", "removed"}
    for change in changes:
        if change.kind == "added":
            assert change.after.startswith(change.before.rstrip())
        else:
            assert len(change.after) < len(change.before)
    assert remove_skill("SQL, Excel, R", ("Excel", "MS Excel")) == "SQL, R"


def test_figures_of_known_changes() -> None:
    changes = [np.array([1.0, -3.0]), np.array([0.0, 2.0])]
    flips = [np.array([False, True]), np.array([False, False])]
    found = change_figures(changes, flips)
    assert (found.num_resumes, found.num_variants, found.greatest) == (2, 4, 3.0)
    assert found.mean_absolute_change.value == 1.5
    assert (found.mean_absolute_change.low, found.mean_absolute_change.high) == (1.0, 2.0)
    assert found.category_changes.value == 0.25


def test_the_bootstrap_covers_the_mean_of_a_known_distribution() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for trial in range(60):
        sample = rng.normal(10, 2, 40)
        found = bootstrap(40, lambda at, sample=sample: float(sample[at].mean()), seed=trial, resamples=200)
        covered += found.low <= 10 <= found.high
    assert 50 <= covered <= 60  # 57 expected of 95 % intervals
