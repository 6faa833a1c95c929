"""Compares a new adapter with the one it started from, on pairs kept out of training, scored as served."""

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import PairRequest, PairScore
from services.scoring.base_model import BaseModelSpec
from services.scoring.engine import ScoringEngine
from services.scoring.engine_factory import EngineSpec, build_engine
from training.dataset import LabelledPair
from training.evaluation import evaluate

COMPARISON_FILE = "comparison.json"


@dataclass(frozen=True, slots=True)
class AdapterFigures:
    """How one adapter does on the held-out pairs.

    Attributes:
        adapter_digest: what its scores name, ``base`` for the base model alone.
        mean_absolute_error: in points.
        spearman: rank correlation; None where labels or scores are all alike.
        expected_calibration_error: in points.
        negative_log_likelihood: of the labels, mean, in nats.
    """

    adapter_digest: str
    mean_absolute_error: float
    spearman: float | None
    expected_calibration_error: float
    negative_log_likelihood: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both adapters on the same pairs.

    Attributes:
        num_pairs: pairs that were scored.
        num_left_out: pairs that no scorer takes: the job alone is too long, or the resume unreadable.
        active: the adapter that training started from.
        candidate: the adapter that it gave.
    """

    num_pairs: int
    num_left_out: int
    active: AdapterFigures
    candidate: AdapterFigures


def compare_adapters(
    base: BaseModelSpec,
    active: Path | None,
    candidate: Path,
    pairs: Sequence[LabelledPair],
    *,
    max_prompt_tokens: int,
    is_identity_masked: bool,
    progress: Callable[[str], None],
) -> Comparison:
    """Scores pairs with both adapters on a serving engine of its own, changing between them as scorers do.

    Args:
        base: the base model; loaded anew, since training may have lifted parts of a 4-bit one to float32.
        active: folder of the adapter that training started from, or None for the base model alone.
        candidate: folder of the new adapter.
        pairs: kept out of training.
        max_prompt_tokens: longest prompt that scorers take, in tokens.
        is_identity_masked: whether scorers mask resumes.
        progress: told one line at a time.

    Raises:
        InvalidInput: no pair can be scored.
        ModelUnavailable: the base model cannot be loaded.
        AdapterIncompatible: an adapter does not fit it or gives no finite score.
        ScoringFailed: a forward pass failed.
    """
    spec = EngineSpec(
        base,
        active,
        max_prompt_tokens,
        batching_window_seconds=0.0,
        max_queued_pairs=max(1, len(pairs)),
        is_identity_masked=is_identity_masked,
    )
    engine = build_engine(spec, progress=progress)
    engine.start()
    try:
        progress(f"comparing with the adapter before on {len(pairs)} held-out pairs")
        return asyncio.run(_compare(engine, candidate, _grouped_by_job(pairs)))
    finally:
        engine.close()


def write_comparison(folder: Path, comparison: Comparison) -> Path:
    """Writes ``comparison.json`` whole or not at all and returns its path."""
    path = folder / COMPARISON_FILE
    partial = folder / f".{COMPARISON_FILE}.{os.getpid()}"
    partial.write_text(json.dumps(asdict(comparison), indent=2) + "\n", "utf-8")
    partial.replace(path)
    return path


async def _compare(engine: ScoringEngine, candidate: Path, pairs: Sequence[LabelledPair]) -> Comparison:
    active_scores = await _score_all(engine, pairs)
    # The same are left out by both: it depends on the texts alone.
    scored = [pair for pair, score in zip(pairs, active_scores, strict=True) if score is not None]
    if not scored:
        raise InvalidInput("nothing_to_compare", [FieldViolation("held_out", "holds no pair that fits")])
    await engine.switch_adapter(candidate)
    candidate_scores = await _score_all(engine, scored)
    return Comparison(
        num_pairs=len(scored),
        num_left_out=len(pairs) - len(scored),
        active=_figures(scored, active_scores),
        candidate=_figures(scored, candidate_scores),
    )


async def _score_all(engine: ScoringEngine, pairs: Sequence[LabelledPair]) -> list[PairScore | None]:
    async def score(pair: LabelledPair) -> PairScore | None:
        try:
            request = PairRequest(str(pair.pair.row), pair.pair.job_description, pair.pair.resume)
            return await engine.score(request)
        except InvalidInput:
            return None

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(score(pair)) for pair in pairs]
    return [task.result() for task in tasks]


def _figures(pairs: Sequence[LabelledPair], scores: Sequence[PairScore | None]) -> AdapterFigures:
    given = [score for score in scores if score is not None]
    figures = evaluate(pairs, [score.distribution for score in given])
    return AdapterFigures(
        adapter_digest=given[0].adapter_digest,
        mean_absolute_error=figures.mae,
        spearman=figures.spearman,
        expected_calibration_error=figures.expected_calibration_error,
        negative_log_likelihood=figures.negative_log_likelihood,
    )


def _grouped_by_job(pairs: Sequence[LabelledPair]) -> list[LabelledPair]:
    """Returns the pairs of one job side by side, so that its state is still at hand for all of them."""
    jobs: dict[str, list[LabelledPair]] = defaultdict(list)
    for pair in pairs:
        jobs[pair.pair.job_description].append(pair)
    return [pair for of_job in jobs.values() for pair in of_job]
