"""What each figure of an evaluation is called and means, in plain words."""

from dataclasses import dataclass

from training.figures.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class FigureText:
    """One figure for a reader.

    Attributes:
        field: its name in ``Evaluation`` and in the JSON.
        title: its name for a person.
        unit: what its number counts.
        meaning: one line.
    """

    field: str
    title: str
    unit: str
    meaning: str


FIGURE_TEXTS = (
    FigureText("num_pairs", "Pairs", "count", "Labelled pairs that were scored."),
    FigureText(
        "mae",
        "Mean absolute error",
        "points",
        "How far a score lies from its label on average. Lower is better.",
    ),
    FigureText(
        "rmse", "Root mean squared error", "points", "The same, but large errors weigh more. Lower is better."
    ),
    FigureText(
        "bias", "Bias", "points", "Above 0: scores are too high on average; below 0: too low. Best is 0."
    ),
    FigureText(
        "pearson",
        "Linear correlation",
        "-1 to 1",
        "How well scores and labels lie on one straight line. Best is 1.",
    ),
    FigureText(
        "spearman",
        "Rank correlation",
        "-1 to 1",
        "How well scores put pairs in the order of their labels. Best is 1.",
    ),
    FigureText(
        "roc_auc",
        "Area under the ROC curve",
        "0 to 1",
        "How often a good or better pair scores above a poor one, jobs mixed. Chance is 0.5, best is 1.",
    ),
    FigureText(
        "within_job_auc",
        "Area under the ROC curve within jobs",
        "0 to 1",
        "The same among resumes of one job, averaged over jobs: what ranking candidates needs.",
    ),
    FigureText(
        "num_jobs_within",
        "Jobs with good and poor pairs",
        "count",
        "Jobs that the line above averages over; with few of them it is uncertain.",
    ),
    FigureText(
        "category_accuracy",
        "Category accuracy",
        "0 to 1",
        "Share of pairs whose score falls into the category of the label. Best is 1.",
    ),
    FigureText(
        "interval_coverage",
        "Coverage of the 10-90 % interval",
        "0 to 1",
        "Share of labels within the interval that should hold 0.8 of them; less: the model is too sure.",
    ),
    FigureText(
        "expected_calibration_error",
        "Expected calibration error",
        "points",
        "How far labels lie, on average, from the score of the pairs scored alike. Best is 0.",
    ),
    FigureText(
        "negative_log_likelihood",
        "Negative log likelihood",
        "nats",
        "How surprised the model is by the labels. Lower is better; knowing nothing costs 4.6.",
    ),
)


def figure_rows(figures: Evaluation) -> list[tuple[FigureText, str]]:
    """Returns each figure's text and its value as shown."""
    return [(text, shown(getattr(figures, text.field))) for text in FIGURE_TEXTS]


def shown(value: float | None) -> str:
    """Returns a figure as people read it: three decimals, counts without, ``-`` where there is none."""
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
