"""The folder of an evaluation or an audit in which its scores are kept, for another run to go on from."""

import asyncio
import dataclasses
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from services.contracts.scoring import PairRequest, PairScore
from services.scoring.engine import ScoringEngine, score_pairs
from training.figures.score_store import SCORES_FILE, ScoreStore

_PROBE = PairRequest("probe", "A job.", "A resume.")


@contextmanager
def open_scores_folder(report: Path | None, *, must_exist: bool) -> Iterator[Path]:
    """Gives the report's folder, made where missing; without a report one that is gone afterwards.

    Args:
        report: the folder that the user named.
        must_exist: whether it has to hold scores of an earlier run.

    Raises:
        click.BadParameter: it cannot be made, or holds no scores.
    """
    if must_exist and (report is None or not (report / SCORES_FILE).is_file()):
        raise click.BadParameter("--report names no folder with scores to go on from", param_hint="--resume")
    if report is None:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)
        return
    try:
        report.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{report}: {error.strerror}", param_hint="--report") from error
    yield report


def open_store(engine: ScoringEngine, folder: Path) -> tuple[ScoreStore, PairScore]:
    """Returns the scores of a folder as far as this model gave them, and a probe for what computes them."""

    def score(requests: Sequence[PairRequest]) -> list[PairScore]:
        return asyncio.run(score_pairs(engine, requests)).scores

    probe = score([_PROBE])[0]
    return ScoreStore(folder, _model_key(probe), score), probe


def _model_key(probe: PairScore) -> str:
    """Returns what a score depends on beside its texts; the probe's value tells number formats apart."""
    origin = dataclasses.asdict(probe) | {"distribution": None, "seconds": None, "is_prefix_cached": None}
    return json.dumps([origin, probe.score], sort_keys=True)
