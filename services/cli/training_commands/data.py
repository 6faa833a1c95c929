"""``resume-scorer data``: labelled pairs that are invented, or made from pairs that people judged."""

from pathlib import Path

import click

from services.cli.lazy_group import LazyGroup
from training.pairs.dataset import read_labelled_pairs
from training.pairs.pair_output import write_pairs
from training.plain_cases.cases import read_cases
from training.plain_cases.labelled import labelled_rows
from training.synthetic.brief_pairs import generate_brief_pairs
from training.synthetic.generator import generate_pairs
from training.teacher.second_opinion import blended

# The others start without scikit-learn.
_LAZY = {
    "pseudo-labels": (
        "services.cli.training_commands.pseudo_labels:pseudo_labels",
        "Makes more pairs from those that were judged: a teacher over word statistics labels the others.",
    )
}
_file = click.Path(dir_okay=False, path_type=Path)
_output = click.option("--output", required=True, type=_file, help="JSON lines file to write.")


@click.group(cls=LazyGroup, table=_LAZY)
def data() -> None:
    """Makes labelled pairs to train on."""


@data.command()
@click.option("--pairs", type=click.IntRange(1), default=240, show_default=True, help="Number of pairs.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed gives other pairs.")
@_output
@click.option("--brief", is_flag=True, help="A few lines a text, to begin a training with.")
def synthetic(pairs: int, seed: int, output: Path, brief: bool) -> None:
    """Invents labelled pairs from a seed."""
    generate = generate_brief_pairs if brief else generate_pairs
    write_pairs(output, generate(pairs, seed))
    print(f"{pairs} pairs written to {output}")


@data.command()
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed gives other pairs.")
@_output
def plain(seed: int, output: Path) -> None:
    """Writes the learnable half of the plain cases: jobs and people by hand, with labels."""
    rows = list(labelled_rows(read_cases("train"), seed))
    write_pairs(output, rows)
    print(f"{len(rows)} pairs written to {output}")


@data.command("second-opinion")
@click.option("--data", "predicted", required=True, type=_file, help="What resume-scorer predict wrote.")
@_output
@click.option(
    "--share", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Weight of the model."
)
def second_opinion(predicted: Path, output: Path, share: float) -> None:
    """Deals scores out anew, in the mean order of a teacher's and the model's.

    --data is what predict made of the teacher's pairs: "score" is the teacher's, "predicted_score" the
    model's.
    """
    rows = list(blended(read_labelled_pairs(predicted), share))
    write_pairs(output, rows)
    print(f"{len(rows)} pairs written to {output}")
