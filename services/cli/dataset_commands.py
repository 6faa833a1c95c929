"""``resume-scorer predict`` and ``evaluate``: whole files of pairs."""

import asyncio
import dataclasses
import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.cli.command_settings import load_command_settings
from services.cli.console import out, progress_bar, say
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.scoring import PairRequest

if TYPE_CHECKING:
    from services.cli.offline_scoring import OfflineRun
    from training.dataset import Pair
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
    run = _score(pairs, adapter)
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
def evaluate(data: Path, adapter: Path | None, as_json: bool) -> None:
    """Compares the model's scores with people's labels."""
    from training import evaluation
    from training.dataset import read_labelled_pairs

    labels = read_labelled_pairs(data)
    run = _score([label.pair for label in labels], adapter)
    figures = evaluation.evaluate(labels, [result.distribution for result in run.scores])
    speed = len(labels) / run.seconds
    if as_json:
        print(
            json.dumps(
                {
                    **dataclasses.asdict(figures),
                    "pairs_per_second": speed,
                    "peak_memory_bytes": _peak_memory_bytes(),
                    "adapter_digest": run.scores[0].adapter_digest,
                    "base_model": run.scores[0].base_model,
                    "prompt_version": run.scores[0].prompt_version,
                }
            )
        )
    else:
        _print_figures(figures, speed)


def _score(pairs: "Sequence[Pair]", adapter: Path | None) -> "OfflineRun":
    from services.cli.offline_scoring import open_engine, score_pairs

    if not pairs:
        raise InvalidInput("empty_file", [FieldViolation("--data", "holds no pair")])
    settings = load_command_settings(**({"adapter": str(adapter)} if adapter else {}))
    engine = open_engine(settings, say)
    try:
        with progress_bar() as bar:
            task = bar.add_task("scoring", total=len(pairs))
            requests = [PairRequest(f"row {pair.row}", pair.job_description, pair.resume) for pair in pairs]
            return asyncio.run(score_pairs(engine, requests, lambda _: bar.advance(task)))
    finally:
        engine.close(settings.drain_seconds)


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB


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
        "category_accuracy",
        "interval_coverage",
    ):
        value = getattr(figures, name)
        table.add_row(name, "-" if value is None else f"{value:.3f}")
    table.add_row("pairs_per_second", f"{pairs_per_second:.1f}")
    out.print(table)
    confusion = Table("label \\ predicted", *CATEGORIES)
    for name, counts in zip(CATEGORIES, figures.confusion, strict=True):
        confusion.add_row(name, *map(str, counts))
    out.print(confusion)
