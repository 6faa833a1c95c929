"""Reads scores from Kafka into a CSV file, the latest of each application.

    python -m examples.collect_scores --output scores.csv --count 20 --job-id nurse-1

Reads from the beginning of the topic, until so many applications have a score or nothing has come for a
while. With a consumer group of your own you would commit offsets and go on where you stopped.
"""

import argparse
import asyncio
import csv
import json
import sys
import time
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

from examples.kafka_records import DEFAULT_SERVERS
from services.contracts.topics import APPLICATION_SCORED

COLUMNS = (
    *("application_id", "job_id", "score", "category", "percentile_10", "percentile_90"),
    *("standard_deviation", "flags", "base_model", "adapter_digest", "prompt_version"),
)
POLL_MILLISECONDS = 500


def main() -> int:
    """Returns the exit code: 1 where fewer scores came than were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True, help="applications to wait for")
    parser.add_argument("--job-id", help="of this job alone")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds without a new score to wait")
    parser.add_argument("--bootstrap-servers", default=DEFAULT_SERVERS)
    options = parser.parse_args()

    scores = asyncio.run(collect(options.bootstrap_servers, options.count, options.job_id, options.patience))
    write_scores(options.output, scores)
    print(f"{len(scores)} scores written")
    return 0 if len(scores) >= options.count else 1


async def collect(
    bootstrap_servers: str, count: int, job_id: str | None, patience_seconds: float
) -> list[dict[str, Any]]:
    """Returns the latest score of each application, best first."""
    consumer = AIOKafkaConsumer(
        APPLICATION_SCORED, bootstrap_servers=bootstrap_servers, group_id=None, auto_offset_reset="earliest"
    )
    await consumer.start()
    scores: dict[str, dict[str, Any]] = {}
    last_came = time.monotonic()
    try:
        while len(scores) < count and time.monotonic() - last_came < patience_seconds:
            for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS)).values():
                for value in (json.loads(record.value) for record in records if record.value):
                    if job_id in (None, value["job_id"]):
                        scores[value["application_id"]] = value
                        last_came = time.monotonic()
    finally:
        await consumer.stop()
    return sorted(scores.values(), key=lambda value: -value["score"])


def write_scores(path: Path, scores: list[dict[str, Any]]) -> None:
    """Writes scores as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for score in scores:
            writer.writerow({**score, "flags": " ".join(score["flags"])})


if __name__ == "__main__":
    sys.exit(main())
