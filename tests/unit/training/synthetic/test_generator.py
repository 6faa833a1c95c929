"""The synthetic pairs: true to their labels, varied, and the same from the same seed."""

import json
import subprocess
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from training.pairs.dataset import read_labelled_pairs
from training.pairs.pair_output import write_pairs
from training.synthetic.generator import generate_pairs
from training.synthetic.occupations import load_catalog
from training.synthetic.phrases import mentions

NUM_PAIRS = 480


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return list(generate_pairs(NUM_PAIRS, seed=3))


@pytest.mark.slow
def test_same_seed_gives_the_same_pairs_in_another_process(tmp_path: Path) -> None:
    write_pairs(tmp_path / "here.jsonl", generate_pairs(30, seed=7))
    command = [sys.executable, "-m", "services.cli", "data", "synthetic", "--pairs", "30", "--seed", "7"]
    subprocess.run([*command, "--output", str(tmp_path / "there.jsonl")], check=True, capture_output=True)
    assert (tmp_path / "here.jsonl").read_bytes() == (tmp_path / "there.jsonl").read_bytes()


def test_longer_run_starts_with_the_shorter_one(rows: list[dict]) -> None:
    assert list(generate_pairs(50, seed=3)) == rows[:50]


def test_another_seed_gives_other_texts(rows: list[dict]) -> None:
    other = {row["resume"] for row in generate_pairs(60, seed=4)}
    assert not other & {row["resume"] for row in rows}


def test_rows_are_a_valid_training_set(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, generate_pairs(48))
    pairs = read_labelled_pairs(path)
    assert len(pairs) == 48
    assert [pair.category for pair in pairs] == [
        json.loads(line)["category"] for line in path.read_text("utf-8").splitlines()
    ]


def test_every_text_is_its_own(rows: list[dict]) -> None:
    assert len({row["resume"] for row in rows}) == NUM_PAIRS
    assert len({row["job_description"] for row in rows}) == NUM_PAIRS // 6


def test_resume_says_what_the_label_counts(rows: list[dict]) -> None:
    catalog = load_catalog()
    for row in rows:
        for skill in row["matched_skills"]:
            assert mentions(row["resume"], catalog.skills[skill].surfaces), skill
        for skill in row["required_skills"]:
            assert mentions(row["job_description"], catalog.skills[skill].surfaces), skill
        assert sorted(row["matched_skills"] + row["missing_skills"]) == sorted(row["required_skills"])


def test_missing_skill_is_in_no_resume_unless_inside_another_wording(rows: list[dict]) -> None:
    catalog = load_catalog()
    for row in rows:
        rest = row["resume"].lower()
        own = [surface for skill in catalog.skills.values() for surface in skill.surfaces]
        absent = {
            surface.lower() for skill in row["missing_skills"] for surface in catalog.skills[skill].surfaces
        }
        for surface in sorted(own, key=len, reverse=True):
            if surface.lower() not in absent:
                rest = rest.replace(surface.lower(), " ")
        assert not mentions(rest, absent), row["missing_skills"]


def test_each_job_meets_candidates_of_all_categories(rows: list[dict]) -> None:
    complete = 0
    for _, group in groupby(rows, key=lambda row: row["job_description"]):
        complete += len({row["category"] for row in group}) == 4
    # A few jobs (without required years, say) cannot be missed by little.
    assert complete >= 0.9 * NUM_PAIRS / 6


def test_scores_cover_the_range_without_piling_up(rows: list[dict]) -> None:
    counts = Counter(row["score"] for row in rows)
    assert min(counts) <= 15
    assert max(counts) >= 95
    assert max(counts.values()) < 0.12 * NUM_PAIRS


def test_occupations_come_in_turn(rows: list[dict]) -> None:
    names = list(load_catalog().occupations)
    first = [row["occupation"] for row in rows[:: len(rows) // 80]][: len(names)]
    assert len(names) >= 20
    assert sorted(first) == sorted(names)


def test_length_and_name_say_nothing_about_the_score(rows: list[dict]) -> None:
    """A scorer that reads the number of words or the place alone must not learn the label."""
    lengths = [len(row["resume"].split()) for row in rows]
    scores = [row["score"] for row in rows]
    mean_length, mean_score = sum(lengths) / NUM_PAIRS, sum(scores) / NUM_PAIRS
    covariance = sum((x - mean_length) * (y - mean_score) for x, y in zip(lengths, scores, strict=True))
    spread = sum((x - mean_length) ** 2 for x in lengths) * sum((y - mean_score) ** 2 for y in scores)
    assert abs(covariance / spread**0.5) < 0.4


def test_all_data_files_expand(rows: list[dict]) -> None:
    left_over = [text for row in rows for text in (row["resume"], row["job_description"]) if "<" in text]
    assert not left_over


@pytest.mark.parametrize("num_pairs", [0, -3])
def test_no_pairs_is_an_error(num_pairs: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        list(generate_pairs(num_pairs))
