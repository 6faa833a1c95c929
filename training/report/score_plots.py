"""Plots of scores against labels: scatter, confusion matrix, ROC curve, histograms."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from services.contracts.scoring import CATEGORY_FLOORS, MAX_SCORE
from training.figures.evaluation import CATEGORIES, Evaluation, decided_pairs, roc_auc
from training.figures.scored_pairs import ScoredPairs
from training.report.plot_style import (
    BLUE,
    CATEGORY_COLOURS,
    CATEGORY_MARKERS,
    GREY,
    ORANGE,
    draw_diagonal,
    new_figure,
    span_scores,
    tidy,
)

# Labels are often a handful of round numbers: without jitter their points would hide one another.
_JITTER_POINTS = 1.8
_BIN_POINTS = 5
# Where the colour map is light enough for black text.
_LIGHT_SHARE = 0.55


def draw_scatter(pairs: ScoredPairs) -> Figure:
    """Draws the predicted score over the label, one mark a pair, jittered along the label alone."""
    figure = new_figure()
    axes = figure.add_subplot()
    tidy(axes)
    span_scores(axes, both=True)
    draw_diagonal(axes, MAX_SCORE, "score = label")
    jitter = np.random.default_rng(0).uniform(-_JITTER_POINTS, _JITTER_POINTS, len(pairs.wanted))
    for category in CATEGORIES:
        chosen = pairs.is_category(category)
        axes.scatter(
            (pairs.wanted + jitter)[chosen],
            pairs.scores[chosen],
            s=16,
            alpha=min(0.8, max(0.25, 6 / len(pairs.wanted) ** 0.5)),  # thousands of pairs overlap
            color=CATEGORY_COLOURS[category],
            marker=CATEGORY_MARKERS[category],
            linewidths=0,
            label=f"label {category}",
        )
    axes.set_xlabel("label (points)")
    axes.set_ylabel("predicted score (points)")
    legend = figure.legend(loc="outside upper center", ncols=5, frameon=False, fontsize="small")
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    return figure


def draw_confusion(figures: Evaluation) -> Figure:
    """Draws the confusion matrix; colour is the share of the row, so that rare labels can be read too."""
    counts = np.array(figures.confusion)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.ma.masked_where(np.broadcast_to(totals == 0, counts.shape), counts / np.maximum(totals, 1))
    figure = new_figure()
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap=colormaps["cividis"].with_extremes(bad="#eeeeee"), vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if not totals[row]:  # no label of this category: there is no share
            axes.text(column, row, "-", ha="center", va="center", color="black")
            continue
        share = shares[row, column]
        colour = "black" if share > _LIGHT_SHARE else "white"
        axes.text(column, row, f"{count}\n{share:.0%}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(CATEGORIES)), CATEGORIES)
    axes.set_yticks(range(len(CATEGORIES)), CATEGORIES)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("category of the predicted score")
    axes.set_ylabel("category of the label")
    bar = figure.colorbar(image, ax=axes, format=PercentFormatter(1), label="share of the label's pairs (%)")
    bar.outline.set_visible(False)
    return figure


def draw_roc(pairs: ScoredPairs, similarities: NDArray[np.float64]) -> Figure | None:
    """Draws the ROC curves of the model and of TF-IDF, or nothing where labels of one kind are missing.

    Args:
        similarities: of the baseline, in any unit.
    """
    if roc_auc(pairs.wanted, pairs.scores) is None:
        return None
    is_good, is_decided = decided_pairs(pairs.wanted)
    figure = new_figure()
    axes = figure.add_subplot()
    tidy(axes)
    draw_diagonal(axes, 1, "chance (0.50)")
    lines = (("TF-IDF cosine", similarities, ORANGE, "-."), ("this model", pairs.scores, BLUE, "-"))
    for name, scores, colour, style in lines:
        false_share, true_share, _ = roc_curve(is_good[is_decided], scores[is_decided])
        label = f"{name} ({roc_auc(pairs.wanted, scores):.2f})"
        axes.plot(false_share, true_share, color=colour, linestyle=style, linewidth=1.8, label=label)
    axes.set_aspect("equal")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("poor pairs above the threshold (%)")
    axes.set_ylabel("good or better pairs above the threshold (%)")
    handles, names = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], names[::-1], title="area under the curve", loc="lower right", frameon=False)
    return figure


def draw_histograms(pairs: ScoredPairs) -> Figure:
    """Draws the predicted scores of each label category, on one scale, over the range they belong to."""
    figure = new_figure()
    panels = figure.subplots(len(CATEGORIES), 1, sharex=True, sharey=True)
    edges = np.arange(0, MAX_SCORE + _BIN_POINTS, _BIN_POINTS)
    ceiling = float(MAX_SCORE)
    for axes, (category, floor) in zip(panels, CATEGORY_FLOORS, strict=True):
        tidy(axes)
        scores = np.clip(pairs.scores[pairs.is_category(category)], 0, MAX_SCORE)
        axes.axvspan(floor, ceiling, color=GREY, alpha=0.13, linewidth=0)
        axes.hist(
            scores,
            edges,
            weights=np.full(len(scores), 1 / max(len(scores), 1)),
            color=CATEGORY_COLOURS[category],
            edgecolor="white",
            linewidth=0.5,
        )
        axes.set_title(f"label {category}: {len(scores)} pairs", loc="left", fontsize="small")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ceiling = floor
    span_scores(panels[-1])
    panels[-1].set_xlabel("predicted score (points); shaded: the range of the label's category")
    figure.supylabel("share of the label's pairs (%)", fontsize="medium")
    return figure
