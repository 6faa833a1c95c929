"""Sends people's labels from a CSV file through the gRPC API.

    python -m examples.send_labels labels.csv --target 127.0.0.1:50051 --plaintext

Columns: application_id, rater, and score (0-100) or category; reasoning if you like. Ids of raters are
opaque: no names. A token comes from the variable ATS_SCORER_TOKEN. Ends at the first label that is refused;
a label that is sent twice by the same rater counts once.
"""

import argparse
import os
import sys
from pathlib import Path

from examples.csv_rows import read_rows
from services.client import CallFailed, ClientOptions, ScoringClient
from services.pb.scoring.v1.events_pb2 import ScoreLabelled


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("labels", type=Path)
    parser.add_argument("--target", default="127.0.0.1:50051")
    parser.add_argument("--plaintext", action="store_true", help="without TLS, on this machine")
    parser.add_argument("--ca-file", type=Path)
    options = parser.parse_args()

    rows = [(line, label_of(options.labels, line, row)) for line, row in _rows(options.labels)]
    connection = ClientOptions(
        is_plaintext=options.plaintext, ca_file=options.ca_file, token=os.environ.get("ATS_SCORER_TOKEN", "")
    )
    with ScoringClient(options.target, connection) as client:
        for line, label in rows:
            try:
                client.submit_label(label)
            except CallFailed as error:
                print(f"{options.labels}: line {line}: {error}", file=sys.stderr)
                return 1
    print(f"{len(rows)} labels sent")
    return 0


def label_of(path: Path, line: int, row: dict[str, str]) -> ScoreLabelled:
    """Returns the label of a row.

    Raises:
        SystemExit: the score is no number; names file and line.
    """
    label = ScoreLabelled(
        application_id=row["application_id"],
        rater=row["rater"],
        category=row.get("category") or "",
        reasoning=row.get("reasoning") or "",
    )
    if row.get("score"):
        try:
            label.score = float(row["score"])
        except ValueError:
            raise SystemExit(f"{path}: line {line}: score is no number") from None
    return label


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    return list(read_rows(path, ("application_id", "rater")))


if __name__ == "__main__":
    sys.exit(main())
