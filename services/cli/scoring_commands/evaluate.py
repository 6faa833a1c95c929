"""``resume-scorer evaluate``: the model's scores beside people's labels."""

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table

from services.adapters.default_adapter import adapter_folder
from services.cli.command_settings import adapter_settings
from services.cli.progress import progress
from services.cli.scoring_commands.scores_folder import open_scores_folder, open_store
from services.cli.scoring_commands.suites import SUITES, evaluate_suite
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import InputFault
from services.contracts.scoring import PairScore, ScoreDistribution
from services.devkit import out, peak_memory_bytes, say
from services.process.settings import Settings
from services.scoring.engine import running_engine
from training.figures import evaluation
from training.figures.evaluation import CATEGORIES, Evaluation
from training.figures.scored_pairs import ScoredPairs
from training.pairs.dataset import LabelledPair, read_labelled_pairs
from training.report.evaluation_report import ReportSubject, write_report
from training.report.loss_curves import read_history

_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, exists=True, path_type=Path)


@click.command()
@click.option("--data", type=_file, help='JSON lines of {"resume", "job_description", "score"}.')
@click.option(
    "--suite",
    type=click.Choice(SUITES),
    help="Cases that come with the product instead: plain ones by hand, the six samples, or attacks.",
)
@click.option("--adapter", type=_folder, help="A LoRA adapter, instead of the one in the settings.")
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object.")
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for report.html, its plots and the scores, from which an interrupted run goes on; no text "
    "of a pair stands in them.",
)
@click.option(
    "--resume", "is_resumed", is_flag=True, help="Fail where --report holds no scores to go on from."
)
def evaluate(
    data: Path | None,
    suite: str | None,
    adapter: Path | None,
    as_json: bool,
    report: Path | None,
    is_resumed: bool,
) -> None:
    """Compares the model's scores with people's labels."""
    if suite is not None:
        if data or report or is_resumed:
            raise click.UsageError("--suite goes with --adapter and --json alone")
        evaluate_suite(suite, adapter_settings(adapter), as_json=as_json)
        return
    if data is None:
        raise click.UsageError("say --data FILE or --suite NAME")
    labels = read_labelled_pairs(data)
    if not labels:
        raise InvalidInput(InputFault.EMPTY_FILE, [FieldViolation("--data", "holds no pair")])
    settings = adapter_settings(adapter)
    with open_scores_folder(report, must_exist=is_resumed) as folder:
        write = _report_writer(data, settings, folder) if report else None
        run = _score(labels, settings, folder)
    figures = evaluation.evaluate(labels, run.distributions)
    speed = run.num_scored / run.seconds
    if as_json:
        print(
            json.dumps(
                {
                    **dataclasses.asdict(figures),
                    "pairs_per_second": speed,
                    "peak_memory_bytes": peak_memory_bytes(),
                    "adapter_digest": run.origin.adapter_digest,
                    "base_model": run.origin.base_model,
                    "prompt_version": run.origin.prompt_version,
                }
            )
        )
    else:
        _print_figures(figures, speed)
    if write:
        say(f"report -> {write(labels, run, figures)}")


@dataclass(frozen=True, slots=True)
class _Run:
    """What scoring gave.

    Attributes:
        distributions: one for each label, in their order.
        origin: a score, for what computed it.
        num_scored: pairs that an earlier run had not scored.
        seconds: what these took.
    """

    distributions: list[ScoreDistribution]
    origin: PairScore
    num_scored: int
    seconds: float


def _report_writer(
    data: Path, settings: Settings, folder: Path
) -> Callable[[Sequence[LabelledPair], _Run, Evaluation], Path]:
    """Reads what a report needs: what fails here fails before hours of scoring."""
    data_digest = hashlib.sha256(data.read_bytes()).hexdigest()
    history = tuple(read_history(adapter_folder(settings)))

    def write(labels: Sequence[LabelledPair], run: _Run, figures: Evaluation) -> Path:
        subject = ReportSubject(
            base_model=run.origin.base_model,
            adapter_digest=run.origin.adapter_digest,
            adapter_version=run.origin.adapter_version,
            prompt_version=run.origin.prompt_version,
            data_digest=data_digest,
            evaluated=datetime.now(UTC),
            history=history,
        )
        pairs = ScoredPairs(labels, run.distributions)
        return write_report(folder, pairs, figures, subject)

    return write


def _score(labels: Sequence[LabelledPair], settings: Settings, folder: Path) -> _Run:
    pairs = [(label.pair.job_description, label.pair.resume) for label in labels]
    names = [f"row {label.pair.row}" for label in labels]
    with running_engine(settings, settings.drain_seconds, say) as engine:
        store, origin = open_store(engine, folder)
        num_missing, started = store.count_missing(pairs), time.monotonic()
        with progress("scoring", len(pairs)) as advance:
            kept = store.score(pairs, advance, names)
        seconds = time.monotonic() - started
    return _Run([each.distribution for each in kept], origin, num_missing, seconds)


def _print_figures(figures: Evaluation, pairs_per_second: float) -> None:
    table = Table("figure", "value", title=f"{figures.num_pairs} pairs")
    for name in (
        "mae",
        "rmse",
        "bias",
        "pearson",
        "spearman",
        "roc_auc",
        "within_job_auc",
        "num_jobs_within",
        "category_accuracy",
        "interval_coverage",
        "expected_calibration_error",
        "negative_log_likelihood",
    ):
        value = getattr(figures, name)
        table.add_row(
            name, "-" if value is None else f"{value:d}" if isinstance(value, int) else f"{value:.3f}"
        )
    table.add_row("pairs_per_second", f"{pairs_per_second:.1f}")
    out.print(table)
    confusion = Table("label \\ predicted", *CATEGORIES)
    for name, counts in zip(CATEGORIES, figures.confusion, strict=True):
        confusion.add_row(name, *map(str, counts))
    out.print(confusion)
    calibration = Table("predicted score", "mean score", "mean label", "pairs")
    for found in figures.calibration:
        calibration.add_row(
            f"{found.lowest:.0f} to {found.highest:.0f}",
            f"{found.mean_predicted:.1f}",
            f"{found.mean_label:.1f}",
            str(found.count),
        )
    out.print(calibration)
