"""What a dashboard is made of, and its JSON as Grafana reads it."""

import json
from dataclasses import dataclass
from typing import Any

DATA_SOURCE = {"type": "prometheus", "uid": "prometheus"}
PANELS_A_ROW = 3
WIDTH, HEIGHT = 24 // PANELS_A_ROW, 8
SCHEMA_VERSION = 39  # Grafana 11


@dataclass(frozen=True)
class Query:
    """One PromQL expression with the legend of its series."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture.

    Attributes:
        kind: timeseries, heatmap, stat or state-timeline, as Grafana calls them.
        unit: Grafana's id of the unit.
        help: what the reader should make of it.
    """

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"
    help: str = ""


@dataclass(frozen=True)
class Dashboard:
    """One page; its uid is its file's name."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def quantiles(metric: str, by: str = "", selector: str = "") -> tuple[Query, ...]:
    """Returns median and 99th percentile of a histogram."""
    labels = f"le, {by}" if by else "le"
    prefix = f"{{{{{by}}}}} " if by else ""
    return tuple(
        Query(
            f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{selector}[5m])))",
            f"{prefix}{name}",
        )
        for share, name in ((0.5, "median"), (0.99, "99 %"))
    )


def mean(metric: str, by: str) -> Query:
    """Returns the mean of a histogram's observations."""
    return Query(
        f"sum by ({by}) (rate({metric}_sum[5m])) / (sum by ({by}) (rate({metric}_count[5m])) > 0)",
        f"{{{{{by}}}}}",
    )


def rate(metric: str, by: str) -> Query:
    return Query(f"sum by ({by}) (rate({metric}[5m]))", f"{{{{{by}}}}}")


def share_between(low: str, high: str, name: str) -> Query:
    """Returns the share of scores between two borders of the histogram of scores."""

    def below(border: str) -> str:
        return f'sum(rate(scoring_score_points_bucket{{le="{border}"}}[5m]))'

    lower = f" - {below(low)}" if low else ""
    return Query(f"({below(high)}{lower}) / (sum(rate(scoring_score_points_count[5m])) > 0)", name)


def panel_json(panel: Panel, number: int) -> dict[str, Any]:
    """Returns a panel as Grafana reads it."""
    return {
        "id": number + 1,
        "title": panel.title,
        "description": panel.help,
        "type": panel.kind,
        "datasource": DATA_SOURCE,
        "gridPos": {
            "x": number % PANELS_A_ROW * WIDTH,
            "y": number // PANELS_A_ROW * HEIGHT,
            "w": WIDTH,
            "h": HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {},
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": DATA_SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
                "format": "heatmap" if panel.kind == "heatmap" else "time_series",
            }
            for at, query in enumerate(panel.queries)
        ],
    }


def dashboard_json(dashboard: Dashboard) -> str:
    """Returns the text of a dashboard's file."""
    content = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["resume-scoring"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "panels": [panel_json(panel, number) for number, panel in enumerate(dashboard.panels)],
    }
    return json.dumps(content, indent=2) + "\n"
