"""The plain cases keep their own rules: whole, and apart for training and for judging."""

from pathlib import Path

import pytest

from training.plain_cases.cases import FOLDER, read_case, read_cases

FILES = [(path, split) for split in ("train", "unseen") for path in sorted((FOLDER / split).glob("*.toml"))]


@pytest.mark.parametrize(("path", "split"), FILES, ids=[path.stem for path, _ in FILES])
def test_a_case_keeps_the_rules(path: Path, split: str) -> None:
    case = read_case(path, split)  # type: ignore[arg-type]

    full, unrelated = case.people["full_match"]["long"], case.people["unrelated"]["long"]
    assert all(
        verdict != "no" for verdict, each in zip(full.met, case.requirements, strict=True) if each.is_must
    )
    assert full.met.count("yes") > unrelated.met.count("yes")
    assert case.people["keyword_list"]["medium"].text != full.text


def test_no_text_stands_on_both_sides() -> None:
    train, unseen = (
        {
            resume.text
            for case in read_cases(split)
            for by_length in case.people.values()
            for resume in by_length.values()
        }
        | {job for case in read_cases(split) for job in case.job.values()}
        for split in ("train", "unseen")
    )

    assert not train & unseen
