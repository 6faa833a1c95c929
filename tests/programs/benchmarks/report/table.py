"""The results file as Markdown, for docs/performance.md."""

from collections.abc import Iterator
from itertools import groupby

from tests.programs.benchmarks.report.figures import Figure
from tests.programs.benchmarks.report.results_file import Entry, Results, figures_of

_HEAD = (
    "| benchmark | figure | median | range | mark | reached | date |",
    "|---|---|---|---|---|---|---|",
)


def markdown(results: Results) -> str:
    """Returns one table for each model, device and machine, then the notes of its runs."""
    entries = [
        (f"{variant}; {_machine(entry)}", name, entry)
        for name, variants in results.items()
        for variant, entry in variants.items()
    ]
    parts = []
    for place, group in groupby(sorted(entries, key=lambda found: found[:2]), key=lambda found: found[0]):
        members = list(group)
        rows = [row for _, name, entry in members for row in _rows(name, entry)]
        notes = [f"- {name}: {entry['note']}" for _, name, entry in members if entry["note"]]
        parts.append("\n".join([f"**{place}**", "", *_HEAD, *rows, *(["", *notes] if notes else [])]))
    return "\n\n".join(parts)


def lines(figures: tuple[Figure, ...]) -> Iterator[str]:
    """Yields one line a figure, for the terminal."""
    for figure in figures:
        reached = {None: "", True: "reached", False: "MISSED"}[figure.is_met]
        values = f"{_median(figure):>16}  ({_range(figure)})"
        yield f"  {figure.what:<52}{values}  {_mark(figure)} {reached}".rstrip()


def _rows(name: str, entry: Entry) -> Iterator[str]:
    for figure in figures_of(entry):
        reached = {None: "", True: "yes", False: "**no**"}[figure.is_met]
        cells = (name, figure.what, _median(figure), _range(figure), _mark(figure), reached, entry["date"])
        yield "| " + " | ".join(cells) + " |"


def _median(figure: Figure) -> str:
    return f"{number(figure.median)} {figure.unit}"


def _range(figure: Figure) -> str:
    return f"{number(figure.lowest)} to {number(figure.highest)}"


def _mark(figure: Figure) -> str:
    least = [f"at least {number(figure.at_least)}"] if figure.at_least is not None else []
    most = [f"at most {number(figure.at_most)}"] if figure.at_most is not None else []
    return ", ".join(least + most)


def _machine(entry: Entry) -> str:
    machine = entry["machine"]
    device = machine.get("card") or f"{machine['processor']}, {machine['cores']} cores"
    return f"{device}, torch {machine['torch']}"


def number(value: float) -> str:
    """Returns three digits that count, or all before the point."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.3f}"
