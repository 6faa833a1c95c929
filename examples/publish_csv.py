"""Publishes jobs and applications from CSV files.

    python -m examples.publish_csv --jobs jobs.csv --applications applications.csv

Columns: job_id, title, description; and application_id, job_id, resume. Nothing is sent unless every row
of both files is right.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from examples.csv_rows import read_rows
from examples.kafka_records import DEFAULT_SERVERS, connected_producer, publish
from services.contracts.topics import APPLICATION_SUBMITTED, JOB_POSTED
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted, JobPosted


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=Path)
    parser.add_argument("--applications", type=Path)
    parser.add_argument("--bootstrap-servers", default=DEFAULT_SERVERS)
    options = parser.parse_args()

    jobs = [
        JobPosted(job_id=row["job_id"], title=row["title"], description=row["description"])
        for _, row in (read_rows(options.jobs, ("job_id", "title", "description")) if options.jobs else ())
    ]
    applications = [
        ApplicationSubmitted(application_id=row["application_id"], job_id=row["job_id"], resume=row["resume"])
        for _, row in (
            read_rows(options.applications, ("application_id", "job_id", "resume"))
            if options.applications
            else ()
        )
    ]
    asyncio.run(send(options.bootstrap_servers, jobs, applications))
    print(f"{len(jobs)} jobs and {len(applications)} applications published")
    return 0


async def send(
    bootstrap_servers: str, jobs: list[JobPosted], applications: list[ApplicationSubmitted]
) -> None:
    """Publishes jobs first, so that no application has to wait for its job."""
    async with connected_producer(bootstrap_servers) as producer:
        await publish(producer, JOB_POSTED, [(each.job_id, each) for each in jobs])
        await publish(producer, APPLICATION_SUBMITTED, [(each.job_id, each) for each in applications])


if __name__ == "__main__":
    sys.exit(main())
