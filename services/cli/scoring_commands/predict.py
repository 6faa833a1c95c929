"""``resume-scorer predict``: every row of a file with its score, or with the reason why it has none."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from services.cli.command_settings import adapter_settings
from services.cli.progress import progress
from services.cli.scoring_commands.prediction_file import (
    PredictionFile,
    count_finished,
    failed_row,
    scored_row,
)
from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import InputFault
from services.contracts.scoring import PairRequest, PairScore
from services.devkit import say
from services.scoring.engine import Outcome, ScoringEngine, named, running_engine, score_pairs
from training.pairs.dataset import BadRow, Pair, read_rows

#: Exit code of a run in which some rows have no score.
EXIT_INCOMPLETE = 4
_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, exists=True, path_type=Path)


@click.command()
@click.option("--data", required=True, type=_file, help='JSON lines of {"resume", "job_description", ...}.')
@click.option("--output", required=True, type=_file, help="Where the same rows go, with the score added.")
@click.option("--adapter", type=_folder, help="A LoRA adapter, instead of the one in the settings.")
@click.option("--resume", "is_resumed", is_flag=True, help="Go on behind the last whole row of the output.")
def predict(data: Path, output: Path, adapter: Path | None, is_resumed: bool) -> int:
    """Scores every row of a file.

    Rows are written in their order, as they are scored. A row that cannot be scored gets an "error" instead;
    then the exit code is 4.
    """
    rows = read_rows(data)
    if not rows:
        raise InvalidInput(InputFault.EMPTY_FILE, [FieldViolation("--data", "holds no pair")])
    _check_writable(output)
    settings = adapter_settings(adapter)
    with running_engine(settings, settings.drain_seconds, say) as engine:
        fields = [row.fields for row in rows]
        digest = engine.active_adapter_digest
        num_done, num_failed = count_finished(output, fields, digest) if is_resumed else (0, 0)
        if num_done:
            say(f"{num_done} of {len(rows)} rows stand in {output}; going on")
        with PredictionFile(output, num_done) as file:
            try:
                num_failed += _predict(engine, rows[num_done:], num_done, file)
            except KeyboardInterrupt:
                say(f"stopped: {file.num_written} of {len(rows)} rows stand in {output}; --resume goes on")
                raise
    say(f"{len(rows)} rows -> {output}")
    if num_failed:
        say(f'{num_failed} of them could not be scored: see "error" in their rows')
    return EXIT_INCOMPLETE if num_failed else 0


def _predict(engine: ScoringEngine, rows: Sequence[Pair | BadRow], first: int, file: PredictionFile) -> int:
    """Scores and writes rows; returns how many have no score."""
    pairs = [(index, row) for index, row in enumerate(rows, first) if not isinstance(row, BadRow)]
    num_failed, started = 0, time.monotonic()
    with progress("scoring", len(rows)) as advance:

        def write(index: int, row: dict[str, Any]) -> None:
            file.write(index, row)
            advance(1)

        def on_outcome(at: int, outcome: Outcome) -> None:
            nonlocal num_failed
            index, pair = pairs[at]
            if isinstance(outcome, PairScore):
                write(index, scored_row(pair.fields, outcome))
            else:
                num_failed += 1
                write(index, failed_row(pair.fields, named(f"row {pair.row}", outcome)))

        for index, row in enumerate(rows, first):
            if isinstance(row, BadRow):
                num_failed += 1
                write(index, failed_row(row.fields, row.error))
        requests = [PairRequest(f"row {pair.row}", pair.job_description, pair.resume) for _, pair in pairs]
        asyncio.run(score_pairs(engine, requests, on_outcome))
    seconds = time.monotonic() - started
    say(f"{len(pairs)} pairs in {seconds:.1f} s ({len(pairs) / seconds:.1f} a second)")
    return num_failed


def _check_writable(output: Path) -> None:
    """Refuses what cannot be written before the model is loaded; leaves the file as it is."""
    try:
        output.open("ab").close()
    except OSError as error:
        raise click.BadParameter(f"{output}: {error.strerror}", param_hint="--output") from error
