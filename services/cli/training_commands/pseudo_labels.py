"""``resume-scorer data pseudo-labels``: a teacher over word statistics labels what nobody judged."""

from pathlib import Path

import click

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import InputFault
from training.pairs.dataset import read_labelled_pairs
from training.pairs.pair_output import write_pairs
from training.teacher.pairing import pseudo_labelled

_file = click.Path(dir_okay=False, path_type=Path)


@click.command("pseudo-labels")
@click.option("--data", required=True, type=_file, help="JSON lines of judged pairs.")
@click.option("--output", required=True, type=_file, help="JSON lines file to write.")
@click.option(
    "--per-job", type=click.IntRange(1), default=14, show_default=True, help="Resumes for each job."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything drawn.")
@click.option(
    "--max-characters",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Cut resumes after so many; 0: whole.",
)
@click.option(
    "--min-characters",
    type=click.IntRange(1),
    help="Cut each somewhere from here to --max-characters, instead of there.",
)
def pseudo_labels(
    data: Path, output: Path, per_job: int, seed: int, max_characters: int, min_characters: int | None
) -> None:
    """Makes more pairs from those that were judged: a teacher over word statistics labels the others."""
    if min_characters is not None and min_characters > max_characters:
        raise click.UsageError("--min-characters must be at most --max-characters")
    pairs = read_labelled_pairs(data)
    try:
        rows = list(pseudo_labelled(pairs, per_job, seed, max_characters, min_characters))
    except ValueError as error:
        raise InvalidInput(InputFault.UNLIKE_TEXTS, [FieldViolation(str(data), str(error))]) from error
    write_pairs(output, rows)
    print(f"{len(rows)} pairs from {len(pairs)} judged ones written to {output}")
