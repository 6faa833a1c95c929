"""``python -m training.pseudo_labels --data FILE --output FILE``: more pairs from those that were judged."""

import argparse
import sys
from pathlib import Path

from services.contracts.errors import InvalidInput
from training.dataset import read_labelled_pairs
from training.pair_output import write_pairs_or_exit
from training.pseudo_labels.pairing import pseudo_labelled


def main() -> int:
    """Writes the pairs; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.pseudo_labels", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="JSON lines of judged pairs")
    parser.add_argument("--output", type=Path, required=True, help="JSON lines file to write")
    parser.add_argument("--per-job", type=int, default=14, help="resumes for each job (14)")
    parser.add_argument("--seed", type=int, default=0, help="of everything drawn (0)")
    parser.add_argument(
        "--max-characters", type=int, default=0, help="cut resumes after so many; 0: whole (0)"
    )
    parser.add_argument(
        "--min-characters", type=int, help="cut each somewhere from here to --max-characters (there)"
    )
    arguments = parser.parse_args()
    if arguments.per_job < 1 or arguments.max_characters < 0:
        parser.error("--per-job must be 1 or more, --max-characters 0 or more")
    if arguments.min_characters is not None and not 0 < arguments.min_characters <= arguments.max_characters:
        parser.error("--min-characters must be 1 or more, and at most --max-characters")
    try:
        pairs = read_labelled_pairs(arguments.data)
        rows = list(
            pseudo_labelled(
                pairs,
                arguments.per_job,
                arguments.seed,
                arguments.max_characters,
                arguments.min_characters,
            )
        )
    except (InvalidInput, ValueError) as error:
        parser.exit(1, f"{arguments.data}: {error}\n")
    write_pairs_or_exit(parser, arguments.output, rows)
    print(f"{len(rows)} pairs from {len(pairs)} judged ones written to {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
