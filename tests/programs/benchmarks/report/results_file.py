"""The one file of results: benchmark name -> model and device -> what was found there last."""

import json
import os
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from typing import Any

from tests.programs.benchmarks.report.figures import Figure, Outcome

# Where figures are kept has not moved with the program: others look for them there.
RESULTS_FILE = Path(__file__).parents[3] / "benchmarks" / "results" / "benchmarks.json"

Entry = dict[str, Any]
Results = dict[str, dict[str, Entry]]


def entry_of(outcome: Outcome, day: date, machine: dict[str, str], num_rounds: int) -> Entry:
    """Returns what the file keeps of one benchmark's run."""
    return {
        "date": day.isoformat(),
        "machine": machine,
        "rounds": num_rounds,
        "note": outcome.note,
        "figures": [asdict(figure) | {"is_met": figure.is_met} for figure in outcome.figures],
        "details": dict(outcome.details),
    }


def merged(results: Results, benchmark: str, variant: str, entry: Entry) -> Results:
    """Returns the results with one entry new or replaced; benchmarks and variants in order of their names."""
    changed = {**results, benchmark: {**results.get(benchmark, {}), variant: entry}}
    return {name: dict(sorted(changed[name].items())) for name in sorted(changed)}


def load(file: Path) -> Results:
    """Reads the file; a missing one has no results.

    Raises:
        ValueError: it is not JSON.
    """
    if not file.exists():
        return {}
    results: Results = json.loads(file.read_text("utf-8"))
    return results


def add(file: Path, benchmark: str, variant: str, entry: Entry) -> None:
    """Puts one entry into the file, read anew, so that runs side by side keep each other's; never half."""
    results = merged(load(file), benchmark, variant, entry)
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".new")
    scratch.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    os.replace(scratch, file)


def figures_of(entry: Entry) -> list[Figure]:
    """Returns an entry's figures; whether a mark is met is computed again."""
    names = [field.name for field in fields(Figure)]
    return [Figure(**{name: found[name] for name in names}) for found in entry["figures"]]
