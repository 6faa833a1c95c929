"""``python -m training.synthetic --pairs N --seed S --output FILE``: writes labelled pairs from a seed."""

import argparse
import sys
from pathlib import Path

from training.synthetic.generator import write_pairs


def main() -> int:
    """Writes the pairs; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.synthetic", description=__doc__)
    parser.add_argument("--pairs", type=_positive, default=240, help="number of pairs (240)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other pairs (0)")
    parser.add_argument("--output", type=Path, required=True, help="JSON lines file to write")
    arguments = parser.parse_args()
    try:
        write_pairs(arguments.output, arguments.pairs, arguments.seed)
    except OSError as error:
        parser.exit(1, f"cannot write {arguments.output}: {error.strerror}\n")
    print(f"{arguments.pairs} pairs written to {arguments.output}")
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
