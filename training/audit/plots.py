"""Plots of an audit."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from training.audit.adverse_impact import ImpactTable
from training.audit.statistics import ChangeFigures
from training.report.plot_style import BLUE, GREY, ORANGE, VERMILION, new_figure, tidy


def draw_changes(found: Mapping[str, ChangeFigures], limit: float) -> Figure:
    """Draws mean and 95th percentile of the absolute change for each kind, in points.

    Args:
        found: by what was changed; at least one.
        limit: of the mean, drawn as a line.
    """
    figure = new_figure()
    axes = figure.add_subplot()
    tidy(axes)
    names = list(found)[::-1]
    means = [found[name].mean_absolute_change for name in names]
    places = range(len(names))
    axes.barh(
        places,
        [mean.value for mean in means],
        xerr=[
            [max(0.0, mean.value - mean.low) for mean in means],
            [max(0.0, mean.high - mean.value) for mean in means],
        ],
        color=BLUE,
        ecolor=GREY,
        height=0.55,
        label="mean, with 95 % interval",
    )
    axes.plot(
        [found[name].percentile_95.value for name in names],
        places,
        linestyle="none",
        marker="D",
        color=ORANGE,
        label="95th percentile",
    )
    axes.axvline(limit, color=VERMILION, linestyle="--", linewidth=1, label="limit of the mean")
    axes.set_yticks(places, [name.replace("_", " ") for name in names])
    axes.set_xlabel("absolute change of the score (points)")
    axes.set_xlim(left=0)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_impact(tables: Sequence[ImpactTable], limit: float) -> Figure:
    """Draws the impact ratio of every group with its interval.

    Args:
        tables: at the sample's median; at least one with a ratio.
        limit: the lowest ratio allowed, drawn as a line.
    """
    figure = new_figure()
    axes = figure.add_subplot()
    tidy(axes)
    rows = [(row.group, row.impact_ratio) for table in tables for row in table.rows][::-1]
    counted = [(group, ratio) for group, ratio in rows if ratio is not None]
    places = list(range(len(counted)))
    axes.errorbar(
        [ratio.value for _, ratio in counted],
        places,
        xerr=[
            [max(0.0, ratio.value - ratio.low) for _, ratio in counted],
            [max(0.0, ratio.high - ratio.value) for _, ratio in counted],
        ],
        linestyle="none",
        marker="o",
        color=BLUE,
        ecolor=GREY,
        capsize=3,
        label="impact ratio, with 95 % interval",
    )
    axes.axvline(limit, color=VERMILION, linestyle="--", linewidth=1, label="limit")
    axes.axvline(0.8, color=GREY, linestyle=":", linewidth=1, label="four fifths")
    axes.set_yticks(places, [group for group, _ in counted])
    axes.set_xlabel("scoring rate over that of the highest group (ratio)")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
