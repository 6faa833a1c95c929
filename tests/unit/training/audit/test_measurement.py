"""A whole audit over scores that are known beforehand: each figure tells the planted bias."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.contracts.errors import InvalidInput
from services.contracts.scoring import NUM_SCORES, PairRequest, PairScore, ScoreDistribution
from training.audit.figures import AuditFigures, AuditThresholds
from training.audit.measurement import Audit, AuditPlan
from training.audit.report import AuditSubject, audit_as_json, write_audit
from training.figures.score_store import ScoreStore
from training.pairs.dataset import LabelledPair, Pair
from training.synthetic.generator import generate_pairs

LIMITS = AuditThresholds()


def _result(request: PairRequest, points: int) -> PairScore:
    distribution = ScoreDistribution(tuple(1.0 if at == points else 0.0 for at in range(NUM_SCORES)))
    return PairScore(request.request_id, distribution, "digest", "v1", "model", "1", 10, 0)


def _scorer(points: Callable[[str], int]) -> Callable[[Sequence[PairRequest]], list[PairScore]]:
    return lambda requests: [_result(request, points(request.resume)) for request in requests]


def _rows(num: int = 6, **fields: str) -> list[LabelledPair]:
    return [
        LabelledPair(
            Pair(at, row["resume"], row["job_description"], {**row, **fields}), row["score"], row["category"]
        )
        for at, row in enumerate(generate_pairs(num, seed=8), 1)
    ]


def _measure(
    folder: Path, points: Callable[[str], int], rows: list[LabelledPair] | None = None
) -> AuditFigures:
    audit = Audit(AuditPlan(rows or _rows(), 6, 0, LIMITS))
    return audit.measure(ScoreStore(folder, "key", _scorer(points)), lambda _: None)


def test_a_scorer_that_sees_nothing_passes_every_fairness_check(tmp_path: Path) -> None:
    figures = _measure(tmp_path, lambda _: 70)
    assert figures.identity_changes["names"].mean_absolute_change.value == 0
    assert all(check.is_passed for check in figures.checks(LIMITS) if check.name != "lowest_impact_ratio")


def test_a_scorer_that_dislikes_a_name_is_found_out(tmp_path: Path) -> None:
    disliked = ("Aisha", "Ebony", "Keisha")
    figures = _measure(tmp_path, lambda resume: 40 if any(map(resume.count, disliked)) else 80)

    names = figures.identity_changes["names"]
    assert names.greatest == 40
    rates = {row.group: row.rate for row in figures.selection[2].rows}
    assert rates["Black female"] == pytest.approx(3 / 6)
    assert rates["White male"] == 1.0
    failed = {check.name for check in figures.checks(LIMITS) if not check.is_passed}
    assert {"name_change_mean", "name_change_percentile_95", "four_fifths"} <= failed
    assert figures.equal_opportunity["intersection"] > 0.2


def test_a_scorer_that_likes_short_resumes_breaks_monotonicity(tmp_path: Path) -> None:
    figures = _measure(tmp_path, lambda resume: max(0, 90 - len(resume) // 50))
    added = next(found for found in figures.monotonicity if found.kind == "added")
    assert added.violations.value > 0.5
    assert added.mean_change.value < 0


def test_groups_of_the_data_are_used_where_rows_name_them(tmp_path: Path) -> None:
    figures = _measure(tmp_path, lambda _: 70, _rows(sex="female"))
    assert {table.kind for table in figures.impact} >= {"data: sex"}
    assert not any(table.kind == "data: race_ethnicity" for table in figures.impact)
    assert [found.group for found in figures.calibration] == ["unknown"]


def test_an_interrupted_audit_scores_only_what_is_missing(tmp_path: Path) -> None:
    scored: list[str] = []

    def failing(requests: Sequence[PairRequest]) -> list[PairScore]:
        if len(scored) > 100:
            raise InterruptedError
        scored.extend(request.request_id for request in requests)
        return [_result(request, 50) for request in requests]

    audit = Audit(AuditPlan(_rows(), 6, 0, LIMITS))
    with pytest.raises(InterruptedError):
        audit.measure(ScoreStore(tmp_path, "key", failing), lambda _: None)
    first = set(scored)
    with (tmp_path / "scores.jsonl").open("a") as file:
        file.write('["half a li')
    again: list[str] = []

    def rest(requests: Sequence[PairRequest]) -> list[PairScore]:
        again.extend(request.request_id for request in requests)
        return [_result(request, 50) for request in requests]

    audit.measure(ScoreStore(tmp_path, "key", rest), lambda _: None)
    assert first
    assert not first & set(again)
    other_model: list[str] = []
    ScoreStore(tmp_path, "other", lambda r: other_model.extend(r) or [_result(x, 1) for x in r]).score(
        audit.texts[:3]
    )
    assert other_model


def test_the_report_holds_figures_and_no_texts(tmp_path: Path) -> None:
    rows = _rows()
    figures = _measure(tmp_path, lambda resume: len(resume) % 100, rows)
    subject = AuditSubject("model", "d" * 64, "v1", "1", True, "e" * 64, datetime(2026, 1, 2, tzinfo=UTC))

    page = write_audit(tmp_path, subject, figures, LIMITS).read_text("utf-8")

    assert page.count("data:image/png;base64,") == 3
    assert "Black female" in page
    assert "http" not in page.replace("http-equiv", "")
    written = page + (tmp_path / "audit.json").read_text() + (tmp_path / "scores.jsonl").read_text()
    for row in rows:
        assert row.pair.resume.split("\n")[0] not in written
    content = json.loads((tmp_path / "audit.json").read_text())
    assert content == audit_as_json(subject, figures, LIMITS)
    assert content["checks"]["name_change_mean"]["passed"] is False


def test_texts_that_no_scorer_takes_are_an_error(tmp_path: Path) -> None:
    def refuse(_: Sequence[PairRequest]) -> list[PairScore]:
        raise InvalidInput("empty_text", [])

    with pytest.raises(InvalidInput):
        Audit(AuditPlan(_rows(1), 1, 0, LIMITS)).measure(ScoreStore(tmp_path, "k", refuse), lambda _: None)
