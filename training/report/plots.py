"""All plots of a report, with their titles and what they say to those who cannot see them."""

from base64 import b64encode
from dataclasses import dataclass

from matplotlib.figure import Figure
from numpy import float64
from numpy.typing import NDArray

from training.figures.evaluation import Evaluation
from training.figures.scored_pairs import ScoredPairs
from training.report.figure_texts import shown
from training.report.loss_curves import TrainingStep, draw_losses
from training.report.plot_style import png_bytes
from training.report.score_plots import draw_confusion, draw_histograms, draw_roc, draw_scatter
from training.report.trust_plots import draw_calibration, draw_coverage


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawn plot.

    Attributes:
        file_name: of its PNG.
        title: above it.
        reading: how to read it, one sentence.
        alt: what it shows, with its main figure.
        png: the picture.
    """

    file_name: str
    title: str
    reading: str
    alt: str
    png: bytes

    @property
    def data_uri(self) -> str:
        """Returns the picture as an address that needs no file."""
        return f"data:image/png;base64,{b64encode(self.png).decode('ascii')}"


PLOT_FILES = (
    "scatter.png",
    "confusion.png",
    "calibration.png",
    "roc.png",
    "histograms.png",
    "coverage.png",
    "losses.png",
)


def draw_plots(
    pairs: ScoredPairs, figures: Evaluation, similarities: NDArray[float64], history: list[TrainingStep]
) -> list[Plot]:
    """Draws every plot that the pairs and the history determine.

    Args:
        similarities: of the TF-IDF baseline.
        history: of the adapter's training; empty without.

    Returns:
        The plots in the order of ``PLOT_FILES``; the ROC curve and the losses may be missing.
    """
    drawn: tuple[tuple[Figure | None, str, str, str], ...] = (
        (
            draw_scatter(pairs),
            "Predicted score and label",
            "Each mark is a pair; on the dashed line the score is the label. "
            "Marks are moved a little to the sides so that they do not hide one another.",
            f"Scatter plot of {figures.num_pairs} predicted scores over their labels; "
            f"rank correlation {shown(figures.spearman)}, mean absolute error {figures.mae:.1f} points.",
        ),
        (
            draw_confusion(figures),
            "Categories",
            "Rows are labels, columns predictions; right ones lie on the diagonal from the upper left.",
            "Confusion matrix of four categories; "
            f"{100 * figures.category_accuracy:.0f} % of the pairs are on the diagonal.",
        ),
        (
            draw_calibration(figures),
            "Calibration",
            "Pairs in ranges of ten points of the score: below the dashed line scores are too high, "
            "above too low.",
            "Mean label over mean score by range of the score; "
            f"they are {figures.expected_calibration_error:.1f} points apart on average.",
        ),
        (
            draw_roc(pairs, similarities),
            "Good or better against poor",
            "The closer a curve comes to the upper left corner, the better it tells the two apart; "
            "fair labels are left out.",
            f"ROC curves of this model, with an area of {shown(figures.roc_auc)}, and of TF-IDF.",
        ),
        (
            draw_histograms(pairs),
            "Scores by category of the label",
            "The more of a row's scores lie in its shaded range, the better.",
            "Histograms of the predicted scores, one for each of the four label categories.",
        ),
        (
            draw_coverage(pairs),
            "Coverage of intervals",
            "Below the dashed line the model is too sure of its scores, above not sure enough.",
            "Share of labels within central intervals of 10 to 90 %; "
            f"the one of 80 % holds {100 * figures.interval_coverage:.0f} %.",
        ),
        (
            draw_losses(history),
            "Training",
            "A validation loss that rises while the training loss falls tells of learning by heart.",
            "Training and validation loss over the optimizer steps of the adapter's training.",
        ),
    )
    return [
        Plot(file_name, title, reading, alt, png_bytes(figure))
        for file_name, (figure, title, reading, alt) in zip(PLOT_FILES, drawn, strict=True)
        if figure is not None
    ]
