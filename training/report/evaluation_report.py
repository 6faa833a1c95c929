"""Writes the report of an evaluation: one HTML file that needs no other, and its plots as PNG beside it."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import numpy as np

from services.contracts.scoring import BASE_ADAPTER_DIGEST
from training.figures.baselines import compare, tfidf_similarities
from training.figures.evaluation import Evaluation
from training.figures.scored_pairs import ScoredPairs
from training.report.figure_texts import figure_rows, shown
from training.report.loss_curves import TrainingStep
from training.report.page import render_page
from training.report.plots import PLOT_FILES, Plot, draw_plots

REPORT_FILE = "report.html"
_TEMPLATE_FILE = "report.html.j2"
_NUM_WORST_ROWS = 10


@dataclass(frozen=True, slots=True)
class ReportSubject:
    """What was evaluated, on what, when.

    Attributes:
        base_model: its name.
        adapter_digest: SHA-256 of the adapter, or ``BASE_ADAPTER_DIGEST``.
        adapter_version: its version name; empty without one.
        prompt_version: of the prompt and score scale.
        data_digest: SHA-256 of the file of pairs, in hexadecimal.
        evaluated: when, with a time zone.
        history: of the adapter's training; empty where there is none.
    """

    base_model: str
    adapter_digest: str
    adapter_version: str
    prompt_version: str
    data_digest: str
    evaluated: datetime
    history: tuple[TrainingStep, ...] = ()

    @property
    def adapter(self) -> str:
        """Returns the adapter's digest for a reader."""
        return (
            "none, the base model alone"
            if self.adapter_digest == BASE_ADAPTER_DIGEST
            else self.adapter_digest
        )


@dataclass(frozen=True, slots=True)
class _WorstRow:
    row: int
    label: float
    score: float
    error: float
    standard_deviation: float


def write_report(folder: Path, pairs: ScoredPairs, figures: Evaluation, subject: ReportSubject) -> Path:
    """Writes ``report.html`` and its plots; nothing in them is a text of a pair.

    The files are written in a scratch folder and moved in, the HTML last, so that no reader ever sees half a
    file. Files of an earlier report are replaced, or removed where this one has no such plot; others stay.

    Args:
        folder: where to; made where it is missing.
        figures: of ``evaluate`` on these pairs.

    Returns:
        The path of the HTML.

    Raises:
        OSError: the folder cannot be written to.
    """
    similarities = tfidf_similarities(pairs.labels)
    plots = draw_plots(pairs, figures, similarities, list(subject.history))
    page = _render(
        plots=plots,
        subject=subject,
        num_pairs=figures.num_pairs,
        figure_rows=figure_rows(figures),
        contenders=compare(pairs, figures, similarities),
        worst_rows=_worst_rows(pairs),
        calibration=figures.calibration,
    )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as scratch:
        for plot in plots:
            (Path(scratch) / plot.file_name).write_bytes(plot.png)
        (Path(scratch) / REPORT_FILE).write_text(page, "utf-8")
        drawn = [plot.file_name for plot in plots]
        for name in (*drawn, REPORT_FILE):
            (Path(scratch) / name).replace(folder / name)
    for name in set(PLOT_FILES).difference(drawn):
        # The loss curves of another adapter beside this one's report would be believed.
        (folder / name).unlink(missing_ok=True)
    return folder / REPORT_FILE


def _render(*, plots: list[Plot], **content: object) -> str:
    template = files(__package__).joinpath(_TEMPLATE_FILE).read_text("utf-8")
    return render_page(template, shown, plots=plots, **content)


def _worst_rows(pairs: ScoredPairs) -> list[_WorstRow]:
    errors = pairs.scores - pairs.wanted
    worst = np.argsort(-np.abs(errors), kind="stable")[:_NUM_WORST_ROWS]
    return [
        _WorstRow(
            pairs.labels[at].pair.row,
            float(pairs.wanted[at]),
            float(pairs.scores[at]),
            float(errors[at]),
            pairs.distributions[at].standard_deviation,
        )
        for at in worst
    ]
