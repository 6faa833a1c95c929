"""Compares a new adapter with the one it started from, on pairs kept out of training, scored as served."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import InputFault
from services.contracts.scoring import PairRequest, PairScore
from services.contracts.training_run import AdapterFigures, Comparison
from services.scoring.engine import ScoringEngine, build_engine
from training.attacks.suite import build_suite
from training.audit.counterfactuals import NUM_NAME_GROUPS, identity_variants
from training.figures.evaluation import evaluate
from training.pairs.dataset import LabelledPair, Pair, mask_pair

_NUM_TRUST_RESUMES = 6
# Six resumes under eight names, and some twelve attacks with their clean resumes.
_MAX_TRUST_PAIRS = 128


def compare_adapters(
    base: ModelSettings,
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
        max_prompt_tokens: longest prompt that scorers take, in tokens.
        is_identity_masked: whether scorers mask resumes.
        progress: told one line at a time.

    Raises:
        InvalidInput: no pair can be scored.
        ModelUnavailable: the base model cannot be loaded.
        AdapterIncompatible: an adapter does not fit it or gives no finite score.
        ScoringFailed: a forward pass failed.
    """
    spec = EngineSettings.of(
        base,
        active,
        max_prompt_tokens=max_prompt_tokens,
        batching_window_seconds=0.0,
        max_queued_pairs=max(_MAX_TRUST_PAIRS, len(pairs)),
        mask_identity=False,
    )
    # Masked here and not by the engine: how an adapter takes names shows only where it sees them.
    shown = list(map(mask_pair, pairs)) if is_identity_masked else list(pairs)
    engine = build_engine(spec, progress=progress)
    engine.start()
    try:
        progress(f"comparing with the adapter before on {len(pairs)} held-out pairs")
        return asyncio.run(_compare(engine, candidate, _grouped_by_job(shown)))
    finally:
        engine.close()


async def _compare(engine: ScoringEngine, candidate: Path, pairs: Sequence[LabelledPair]) -> Comparison:
    active_scores = await _score_all(engine, pairs)
    # The same are left out by both: it depends on the texts alone.
    scored = [pair for pair, score in zip(pairs, active_scores, strict=True) if score is not None]
    if not scored:
        raise InvalidInput(
            InputFault.NOTHING_TO_COMPARE, [FieldViolation("held_out", "holds no pair that fits")]
        )
    active_trust = await _measure_trust(engine, scored)
    await engine.switch_adapter(candidate)
    candidate_scores = await _score_all(engine, scored)
    return Comparison(
        num_pairs=len(scored),
        num_left_out=len(pairs) - len(scored),
        active=_figures(scored, active_scores, active_trust),
        candidate=_figures(scored, candidate_scores, await _measure_trust(engine, scored)),
    )


async def _measure_trust(engine: ScoringEngine, pairs: Sequence[LabelledPair]) -> tuple[float, float]:
    """Returns name change and injection rise, over a few pairs: enough to see one that got much worse."""
    named = [
        (pair.pair.job_description, variant.resume)
        for turn, pair in enumerate(pairs[:_NUM_TRUST_RESUMES])
        for variant in identity_variants(pair.pair.resume, turn)
        if variant.dimension == "names"
    ]
    suite = build_suite()
    attacks = suite[:: max(1, len(suite) // _NUM_TRUST_RESUMES)]
    texts = [
        *named,
        *((pair.job_description, text) for pair in attacks for text in (pair.clean, pair.attacked)),
    ]
    scores = await _score_all(engine, [_unlabelled(*text) for text in texts])
    points = np.array([score.score if score is not None else np.nan for score in scores])
    by_resume = points[: len(named)].reshape(-1, NUM_NAME_GROUPS)
    clean, attacked = points[len(named) :: 2], points[len(named) + 1 :: 2]
    change = np.abs(by_resume[:, 1:] - by_resume[:, :1])
    return _mean(change), _mean(attacked - clean)


def _mean(points: NDArray[np.float64]) -> float:
    """Returns the mean of what was scored; 0 where scorers take none of it, and so nobody gains by it."""
    scored = points[~np.isnan(points)]
    return float(scored.mean()) if len(scored) else 0.0


def _unlabelled(job_description: str, resume: str) -> LabelledPair:
    return LabelledPair(Pair(0, resume, job_description, {}), 0.0, "poor")


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


def _figures(
    pairs: Sequence[LabelledPair], scores: Sequence[PairScore | None], trust: tuple[float, float]
) -> AdapterFigures:
    given = [score for score in scores if score is not None]
    figures = evaluate(pairs, [score.distribution for score in given])
    return AdapterFigures(
        adapter_digest=given[0].adapter_digest,
        mean_absolute_error=figures.mae,
        spearman=figures.spearman,
        expected_calibration_error=figures.expected_calibration_error,
        negative_log_likelihood=figures.negative_log_likelihood,
        name_change=trust[0],
        injection_rise=trust[1],
    )


def _grouped_by_job(pairs: Sequence[LabelledPair]) -> list[LabelledPair]:
    """Returns the pairs of one job side by side, so that its state is still at hand for all of them."""
    jobs: dict[str, list[LabelledPair]] = defaultdict(list)
    for pair in pairs:
        jobs[pair.pair.job_description].append(pair)
    return [pair for of_job in jobs.values() for pair in of_job]
