"""Draws every panel's data of the last minutes into one picture.

python deploy/grafana/render.py --prometheus http://127.0.0.1:9090 --minutes 10 --output dashboard.png
"""

import argparse
import json
import re
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from dashboards import DASHBOARDS, Panel
from matplotlib import pyplot
from matplotlib.axes import Axes

COLUMNS = 6
POINTS = 120
TIMEOUT_SECONDS = 30
MAX_LEGEND_ENTRIES = 8
ABSENT_LABEL = re.compile(r"\{\{\w+\}\}")


def read_series(server: str, expression: str, start: float, end: float) -> list[dict[str, Any]]:
    """Returns what ``/api/v1/query_range`` answers."""
    step = max(1.0, (end - start) / POINTS)
    query = urllib.parse.urlencode({"query": expression, "start": start, "end": end, "step": step})
    # The address is the caller's own server.
    with urllib.request.urlopen(f"{server}/api/v1/query_range?{query}", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def legend_of(template: str, labels: dict[str, str]) -> str:
    """Fills Grafana's ``{{label}}`` marks."""
    for name, value in labels.items():
        template = template.replace(f"{{{{{name}}}}}", value)
    return ABSENT_LABEL.sub("", template).strip()


def draw(axes: Axes, server: str, panel: Panel, start: float, end: float) -> None:
    """Draws one panel; what has no series stays empty and says so."""
    num_drawn = 0
    for query in panel.queries:
        series = read_series(server, query.expression, start, end)
        if panel.kind == "heatmap":
            num_drawn += draw_heatmap(axes, series, start)
            continue
        for each in series:
            minutes = [(float(at) - start) / 60 for at, _ in each["values"]]
            values = [float(value) for _, value in each["values"]]
            axes.plot(minutes, values, label=legend_of(query.legend, each["metric"]), linewidth=1)
            num_drawn += 1
    axes.set_title(f"{panel.title} [{panel.unit}]", fontsize=8)
    axes.tick_params(labelsize=6)
    axes.set_xlim(0, (end - start) / 60)
    if num_drawn == 0:
        axes.text(0.5, 0.5, "no data here", ha="center", transform=axes.transAxes, fontsize=8, color="gray")
    elif panel.kind != "heatmap" and num_drawn <= MAX_LEGEND_ENTRIES:
        axes.legend(fontsize=5, loc="best")


def draw_heatmap(axes: Axes, series: list[dict[str, Any]], start: float) -> int:
    """Draws a histogram over time: each bucket's own count, not the cumulated one."""
    series = sorted(series, key=lambda each: float(each["metric"]["le"]))
    times = sorted({float(at) for each in series for at, _ in each["values"]})
    if not times:
        return 0
    rows = [[dict(each["values"]).get(at, "0") for at in times] for each in series]
    counts = [[float(value) for value in row] for row in rows]
    own = [counts[0]] + [
        [max(0.0, high - low) for low, high in zip(below, above, strict=True)]
        for below, above in zip(counts, counts[1:], strict=False)
    ]
    minutes = [(at - start) / 60 for at in times]
    axes.pcolormesh(minutes, range(len(own)), own, cmap="viridis", shading="nearest")
    axes.set_yticks(range(len(series)), [each["metric"]["le"] for each in series])
    return len(series)


def render(server: str, minutes: float, output: Path) -> None:
    """Writes the picture."""
    end = time.time()
    start = end - 60 * minutes
    panels = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]
    num_rows = -(-len(panels) // COLUMNS)
    figure, axes = pyplot.subplots(num_rows, COLUMNS, figsize=(3 * COLUMNS, 2 * num_rows))
    for place, panel in zip(axes.flat, panels, strict=False):
        draw(place, server, panel, start, end)
    for place in list(axes.flat)[len(panels) :]:
        place.axis("off")
    figure.suptitle("Service overview, model quality, training (x: minutes)", fontsize=11)
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=90)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the data of all dashboards into one picture.")
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    render(options.prometheus, options.minutes, options.output)


if __name__ == "__main__":
    main()
