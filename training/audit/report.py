"""Writes an audit's report: one HTML file that needs no other, and the figures as JSON beside it."""

import dataclasses
import json
import math
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from training.audit.counterfactuals import identities
from training.audit.figures import AuditFigures, AuditThresholds, Check
from training.audit.plots import draw_changes, draw_impact
from training.audit.statistics import Interval
from training.report.page import render_page
from training.report.plot_style import png_bytes

REPORT_FILE, FIGURES_FILE = "audit.html", "audit.json"
_TEMPLATE_FILE = "audit.html.j2"


@dataclass(frozen=True, slots=True)
class AuditSubject:
    """What was audited, on what, when.

    Attributes:
        base_model: its name.
        adapter_digest: SHA-256 of the adapter, or "base".
        adapter_version: its version name; empty without one.
        prompt_version: of the prompt and score scale.
        is_identity_masked: whether names, pronouns and the like were replaced before scoring.
        data_digest: SHA-256 of the data set, in hexadecimal.
        audited: when, with a time zone.
    """

    base_model: str
    adapter_digest: str
    adapter_version: str
    prompt_version: str
    is_identity_masked: bool
    data_digest: str
    audited: datetime


@dataclass(frozen=True, slots=True)
class _Plot:
    title: str
    alt: str
    png: bytes

    @property
    def data_uri(self) -> str:
        return f"data:image/png;base64,{b64encode(self.png).decode('ascii')}"


def audit_as_json(subject: AuditSubject, figures: AuditFigures, limits: AuditThresholds) -> dict[str, Any]:
    """Returns everything as JSON's types; what is not defined is null."""
    checks = figures.checks(limits)
    content: dict[str, Any] = {
        "passed": all(check.is_passed for check in checks),
        "checks": {
            check.name: {
                "value": check.value,
                "limit": check.limit,
                "direction": "at most" if check.is_upper_limit else "at least",
                "passed": check.is_passed,
            }
            for check in checks
        },
        "subject": {**dataclasses.asdict(subject), "audited": subject.audited.isoformat()},
        **dataclasses.asdict(figures),
    }
    return _without_nan(content)  # type: ignore[no-any-return]


def write_audit(folder: Path, subject: AuditSubject, figures: AuditFigures, limits: AuditThresholds) -> Path:
    """Writes ``audit.json`` and ``audit.html``; nothing in them is a text of a resume.

    Args:
        folder: where to; exists.
        limits: what it had to reach.

    Returns:
        The path of the HTML.

    Raises:
        OSError: the folder cannot be written to.
    """
    page = render_page(
        files(__package__).joinpath(_TEMPLATE_FILE).read_text("utf-8"),
        shown,
        subject=subject,
        figures=figures,
        limits=limits,
        limit_texts={name: field.description for name, field in AuditThresholds.model_fields.items()},
        checks=figures.checks(limits),
        plots=_plots(figures, limits),
        sources=identities()["sources"],
    )
    content = json.dumps(audit_as_json(subject, figures, limits), indent=2)
    for name, text in ((FIGURES_FILE, content + "\n"), (REPORT_FILE, page)):
        partial = folder / f"{name}.part"
        partial.write_text(text, "utf-8")
        partial.replace(folder / name)
    return folder / REPORT_FILE


def shown(value: Interval | Check | float | int | str | None, digits: int = 2) -> str:
    """Returns a figure for a reader: an interval with its bounds, "-" for what is not defined."""
    if isinstance(value, Interval):
        if math.isnan(value.low):
            return shown(value.value, digits)
        return f"{value.value:.{digits}f} ({value.low:.{digits}f} to {value.high:.{digits}f})"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def _plots(figures: AuditFigures, limits: AuditThresholds) -> list[_Plot]:
    drawn: list[tuple[str, str, Figure]] = [
        (
            "Change of the score under another identity",
            "Bars of the mean absolute change for each part of an identity.",
            draw_changes(figures.identity_changes, limits.name_change_mean),
        )
    ]
    if any(table.lowest_ratio is not None for table in figures.impact):
        drawn.append(
            (
                "Impact ratios at the sample's median",
                "Impact ratio of every group with its interval.",
                draw_impact(figures.impact, limits.lowest_impact_ratio),
            )
        )
    if figures.stability:
        drawn.append(
            (
                "Change of the score under another dress of the same resume",
                "Bars of the mean absolute change for each kind of change.",
                draw_changes(figures.stability, limits.section_order_change_mean),
            )
        )
    return [_Plot(title, alt, png_bytes(figure)) for title, alt, figure in drawn]


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
