"""Plots of how far scores and intervals can be taken at their word: calibration and coverage."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from services.contracts.scoring import MAX_SCORE
from training.figures.calibration import interval_coverage
from training.figures.evaluation import Evaluation
from training.figures.scored_pairs import ScoredPairs
from training.report.plot_style import BLUE, draw_diagonal, new_figure, span_scores, tidy

_LEVELS_PERCENT = range(10, 91, 10)


def draw_calibration(figures: Evaluation) -> Figure:
    """Draws the mean label over the mean score of each range, and below how many pairs each range holds."""
    bins = figures.calibration
    figure = new_figure()
    curve, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    tidy(curve)
    tidy(counts)
    draw_diagonal(curve, MAX_SCORE, "perfectly calibrated")
    curve.plot(
        [found.mean_predicted for found in bins],
        [found.mean_label for found in bins],
        color=BLUE,
        marker="o",
        linewidth=1.8,
        label="this model",
    )
    curve.set_ylabel("mean label (points)")
    curve.legend(loc="upper left", frameon=False)
    bars = counts.bar(
        [found.lowest for found in bins],
        [found.count for found in bins],
        [found.highest - found.lowest for found in bins],
        align="edge",
        color=BLUE,
        edgecolor="white",
    )
    counts.bar_label(bars, fontsize="small", padding=1)
    counts.margins(y=0.25)
    counts.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    counts.set_ylabel("pairs (count)")
    counts.set_xlabel("predicted score (points)")
    span_scores(curve, both=True)
    figure.align_ylabels()
    return figure


def draw_coverage(pairs: ScoredPairs) -> Figure:
    """Draws the share of labels within the central interval of each level, 10 to 90 %."""
    wanted = pairs.wanted.tolist()
    observed = [interval_coverage(wanted, pairs.distributions, level) for level in _LEVELS_PERCENT]
    figure = new_figure()
    axes = figure.add_subplot()
    tidy(axes)
    draw_diagonal(axes, 1, "interval as wide as it says")
    axes.plot(
        [level / 100 for level in _LEVELS_PERCENT],
        observed,
        color=BLUE,
        marker="o",
        linewidth=1.8,
        label="this model",
    )
    axes.set_aspect("equal")
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("probability of the interval (%)")
    axes.set_ylabel("labels within the interval (%)")
    axes.legend(loc="upper left", frameon=False)
    return figure
