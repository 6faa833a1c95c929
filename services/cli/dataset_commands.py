"""``resume-scorer predict`` and ``evaluate``: whole files of pairs."""

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.cli.command_settings import load_command_settings
from services.cli.console import out, progress_bar, say
from services.cli.process_memory import peak_memory_bytes
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import PairRequest

if TYPE_CHECKING:
    from services.cli.offline_scoring import OfflineRun
    from services.service_kit.settings import Settings
    from training.dataset import LabelledPair, Pair
    from training.evaluation import Evaluation

_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, exists=True, path_type=Path)


@click.command()
@click.option("--data", required=True, type=_file, help='JSON lines of {"resume", "job_description", ...}.')
@click.option("--output", required=True, type=_file, help="Where the same lines go, with the score added.")
@click.option("--adapter", type=_folder, help="A LoRA adapter, instead of the one in the settings.")
def predict(data: Path, output: Path, adapter: Path | None) -> None:
    """Scores every line of a file; adds predicted_score, predicted_category and standard_deviation."""
    from training.dataset import read_pairs

    pairs = read_pairs(data)
    run = _score(pairs, _settings(adapter))
    lines = (
        json.dumps(
            {
                **pair.fields,
                "predicted_score": result.score,
                "predicted_category": result.category,
                "standard_deviation": result.distribution.standard_deviation,
            },
            ensure_ascii=False,
        )
        for pair, result in zip(pairs, run.scores, strict=True)
    )
    partial = output.with_name(output.name + ".part")
    # Lone surrogates, which JSON may hold and UTF-8 may not, are written as they came: escaped.
    partial.write_text("".join(f"{line}\n" for line in lines), "utf-8", errors="backslashreplace")
    partial.replace(output)
    say(f"{len(pairs)} pairs in {run.seconds:.1f} s ({len(pairs) / run.seconds:.1f} a second) -> {output}")


@click.command()
@click.option(
    "--data", required=True, type=_file, help='JSON lines of {"resume", "job_description", "score"}.'
)
@click.option("--adapter", type=_folder, help="A LoRA adapter, instead of the one in the settings.")
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object.")
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for report.html and its plots; no text of a pair stands in them.",
)
def evaluate(data: Path, adapter: Path | None, as_json: bool, report: Path | None) -> None:
    """Compares the model's scores with people's labels."""
    from training import evaluation
    from training.dataset import read_labelled_pairs

    labels = read_labelled_pairs(data)
    settings = _settings(adapter)
    write_report = _report_writer(data, settings, report) if report else None
    run = _score([label.pair for label in labels], settings)
    figures = evaluation.evaluate(labels, [result.distribution for result in run.scores])
    speed = len(labels) / run.seconds
    if as_json:
        print(
            json.dumps(
                {
                    **dataclasses.asdict(figures),
                    "pairs_per_second": speed,
                    "peak_memory_bytes": peak_memory_bytes(),
                    "adapter_digest": run.scores[0].adapter_digest,
                    "base_model": run.scores[0].base_model,
                    "prompt_version": run.scores[0].prompt_version,
                }
            )
        )
    else:
        _print_figures(figures, speed)
    if write_report:
        say(f"report -> {write_report(labels, run, figures)}")


def _report_writer(
    data: Path, settings: "Settings", folder: Path
) -> "Callable[[Sequence[LabelledPair], OfflineRun, Evaluation], Path]":
    """Reads what a report needs and makes its folder: what fails here fails before hours of scoring."""
    from services.service_kit.engine_settings import engine_spec
    from training.report.evaluation_report import ReportSubject, write_report
    from training.report.loss_curves import read_history
    from training.report.scored_pairs import ScoredPairs

    data_digest = hashlib.sha256(data.read_bytes()).hexdigest()
    history = tuple(read_history(engine_spec(settings).adapter))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{folder}: {error.strerror}", param_hint="--report") from error

    def write(labels: "Sequence[LabelledPair]", run: "OfflineRun", figures: "Evaluation") -> Path:
        first = run.scores[0]
        subject = ReportSubject(
            base_model=first.base_model,
            adapter_digest=first.adapter_digest,
            adapter_version=first.adapter_version,
            prompt_version=first.prompt_version,
            data_digest=data_digest,
            evaluated=datetime.now(UTC),
            history=history,
        )
        pairs = ScoredPairs(labels, [result.distribution for result in run.scores])
        return write_report(folder, pairs, figures, subject)

    return write


def _settings(adapter: Path | None) -> "Settings":
    return load_command_settings(**({"adapter": str(adapter)} if adapter else {}))


def _score(pairs: "Sequence[Pair]", settings: "Settings") -> "OfflineRun":
    from services.cli.offline_scoring import running_engine, score_pairs

    if not pairs:
        raise InvalidInput("empty_file", [FieldViolation("--data", "holds no pair")])
    with running_engine(settings, say) as engine, progress_bar() as bar:
        task = bar.add_task("scoring", total=len(pairs))
        requests = [PairRequest(f"row {pair.row}", pair.job_description, pair.resume) for pair in pairs]
        return asyncio.run(score_pairs(engine, requests, lambda _: bar.advance(task)))


def _print_figures(figures: "Evaluation", pairs_per_second: float) -> None:
    from rich.table import Table

    from training.evaluation import CATEGORIES

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
