"""``resume-scorer evaluate --suite``: what a model does on cases that come with the product."""

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from services.cli.audit_commands.audit_injection import measure_injection, print_injection
from services.cli.progress import progress
from services.contracts.scoring import PairRequest, PairScore
from services.devkit import load_samples, out, say
from services.process.settings import Settings
from services.scoring.engine import running_engine, score_pairs
from training.plain_cases.cases import LENGTHS, read_cases
from training.plain_cases.figures import PlainFigures, measure, plain_pairs

SUITES = ("plain", "samples", "injection")


def evaluate_suite(name: str, settings: Settings, *, as_json: bool) -> None:
    """Scores a suite and prints its table.

    Args:
        name: one of ``SUITES``: the unseen half of the plain cases, the six samples, or the attacks.
        settings: which model and adapter.
        as_json: one JSON object instead.
    """
    {"plain": _plain, "samples": _samples, "injection": _injection}[name](settings, as_json)


def _plain(settings: Settings, as_json: bool) -> None:
    pairs = plain_pairs(read_cases("unseen"))
    scores = _score(settings, [(pair.job_description, pair.resume) for pair in pairs])
    figures = measure(pairs, [score.score for score in scores])
    if as_json:
        print(json.dumps({"suite": "plain", **dataclasses.asdict(figures), **_origin(scores)}))
        return
    _print_plain(figures)


def _print_plain(figures: PlainFigures) -> None:
    title = f"{figures.num_cases} occupations that no training sees; points"
    table = Table("person", "pairs", "mean", *LENGTHS, "65 and more", "below 45", title=title)
    for each in figures.people:
        table.add_row(
            each.person.replace("_", " "),
            str(each.num_pairs),
            f"{each.mean:.1f}",
            *(f"{each.mean_by_length[length]:.1f}" for length in LENGTHS),
            f"{each.good_share:.0%}",
            f"{each.poor_share:.0%}",
        )
    out.print(table)
    out.print(f"full match > junior > adjacent > unrelated: {figures.ordered_share:.0%}")
    out.print(f"full match above all of these and lists of keywords: {figures.full_match_first_share:.0%}")
    out.print(f"the same pair in another length: {figures.length_change:.1f} points")


def _samples(settings: Settings, as_json: bool) -> None:
    samples = load_samples()
    texts = [(f"{each.job_title}\n\n{each.job_description}", each.resume) for each in samples]
    scores = _score(settings, texts)
    rows = [
        {
            "sample": each.application_id,
            "label": each.label,
            "expected": each.expected_score,
            "score": score.score,
        }
        for each, score in zip(samples, scores, strict=True)
    ]
    largest = max(abs(score.score - each.expected_score) for each, score in zip(samples, scores, strict=True))
    if as_json:
        print(json.dumps({"suite": "samples", "samples": rows, "largest_error": largest, **_origin(scores)}))
        return
    table = Table("sample", "label", "expected", "score")
    for each, score in zip(samples, scores, strict=True):
        table.add_row(each.application_id, each.label, str(each.expected_score), f"{score.score:.1f}")
    out.print(table)
    out.print(f"largest error: {largest:.1f} points")


def _injection(settings: Settings, as_json: bool) -> None:
    figures, origin = measure_injection(settings)
    if as_json:
        print(json.dumps({"suite": "injection", **dataclasses.asdict(figures), **origin}))
        return
    print_injection(figures)


def _score(settings: Settings, texts: Sequence[tuple[str, str]]) -> list[PairScore]:
    requests = [PairRequest(f"pair {number}", *given) for number, given in enumerate(texts)]
    with (
        running_engine(settings, settings.drain_seconds, say) as engine,
        progress("scoring", len(requests)) as advance,
    ):
        return asyncio.run(score_pairs(engine, requests, lambda index, outcome: advance(1))).scores


def _origin(scores: Sequence[PairScore]) -> dict[str, Any]:
    return {name: getattr(scores[0], name) for name in ("base_model", "adapter_digest", "prompt_version")}
