"""Runs benchmarks and keeps their figures: ``python -m tests.programs.benchmarks``, or ``make bench``.

Each result is written when its benchmark ends; see docs/performance.md for what they mean.
"""

import argparse
import asyncio
import gc
import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from services.process.logging import configure_logging
from services.process.settings import load_settings
from tests.programs.benchmarks.card import card_setup
from tests.programs.benchmarks.catalogue import BENCHMARKS, CARD_BENCHMARKS, Benchmark, chosen
from tests.programs.benchmarks.report.figures import Outcome
from tests.programs.benchmarks.report.machine import describe_machine
from tests.programs.benchmarks.report.results_file import RESULTS_FILE, add, entry_of, load
from tests.programs.benchmarks.report.table import lines, markdown
from tests.programs.benchmarks.rig.setup import Setup


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the command line; ends the process where it makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.benchmarks", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the benchmarks and what each answers")
    parser.add_argument("--table", action="store_true", help="print the results file as Markdown")
    parser.add_argument("--card", action="store_true", help="the ones for a GPU, at gemma-2-2b's shape")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="may be repeated")
    parser.add_argument("--rounds", type=int, default=3, help="measured rounds (default 3)")
    parser.add_argument(
        "--resumes",
        type=int,
        default=Setup.size.num_resumes,
        help="of each job of a round; a card has its own (default %(default)s)",
    )
    parser.add_argument("--results", type=Path, default=RESULTS_FILE, help="the file to merge figures into")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.resumes < 1:
        parser.error("--rounds and --resumes must be at least 1")
    try:
        options.chosen = chosen(options.only, CARD_BENCHMARKS if options.card else BENCHMARKS)
    except ValueError as error:
        parser.error(str(error))
    return options


def main(arguments: Sequence[str]) -> int:
    """Does what the command line asks; returns 1 where a benchmark failed."""
    options = parse(arguments)
    if options.list:
        for benchmark in options.chosen:
            print(f"{benchmark.name:<14}{benchmark.question}")
        return 0
    if options.table:
        print(markdown(load(options.results)))
        return 0
    settings = load_settings()
    configure_logging(settings.model_copy(update={"log_level": "ERROR"}), "benchmark")
    size = replace(Setup.size, num_resumes=options.resumes)
    plain = Setup(settings, settings, size, num_rounds=options.rounds)
    with card_setup(settings, options.rounds) if options.card else nullcontext(plain) as setup:
        if setup.note:
            print(setup.note)
        return 0 if all([_run(benchmark, setup, options.results) for benchmark in options.chosen]) else 1


def _run(benchmark: Benchmark, setup: Setup, results: Path) -> bool:
    """Measures, shows and keeps; returns whether all of it went well, for the others are still to run."""
    is_done = True
    for quantization in benchmark.quantizations:
        print(f"\n{benchmark.name}: {benchmark.question}", flush=True)
        this = setup
        if quantization != "auto":
            this = replace(setup, spec=setup.spec.having(quantization=quantization))
        try:
            outcome = asyncio.run(benchmark.run(this))
            variant = benchmark.model or this.variant()
        except Exception:  # noqa: BLE001 - shown whole, and the exit code tells
            traceback.print_exc()
            is_done = False
            continue
        finally:
            gc.collect()
        _show(variant, outcome)
        if outcome.figures:
            entry = entry_of(outcome, datetime.now(UTC).date(), describe_machine(), setup.num_rounds)
            add(results, benchmark.name, variant, entry)
    return is_done


def _show(variant: str, outcome: Outcome) -> None:
    print(variant + (f"; {outcome.note}" if outcome.note else ""))
    for line in lines(outcome.figures):
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
