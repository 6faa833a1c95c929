"""``python -m training.synthetic --pairs N --seed S --output FILE``: writes labelled pairs from a seed."""

import argparse
import sys
from pathlib import Path

from training.pair_output import write_pairs_or_exit
from training.synthetic.brief_pairs import generate_brief_pairs
from training.synthetic.generator import generate_pairs


def main() -> int:
    """Writes the pairs; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.synthetic", description=__doc__)
    parser.add_argument("--pairs", type=_positive, default=240, help="number of pairs (240)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other pairs (0)")
    parser.add_argument("--output", type=Path, required=True, help="JSON lines file to write")
    parser.add_argument("--brief", action="store_true", help="a few lines a text, to begin a training with")
    arguments = parser.parse_args()
    generate = generate_brief_pairs if arguments.brief else generate_pairs
    write_pairs_or_exit(parser, arguments.output, generate(arguments.pairs, arguments.seed))
    print(f"{arguments.pairs} pairs written to {arguments.output}")
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
