"""Publishes a job and the resumes of a folder as applications.

    python -m examples.publish_folder --job-id nurse-1 --title Nurse --job nurse.txt --resumes inbox/

The name of each file without its ending becomes the application's id, so choose names that tell nothing of
the person. Unreadable files are told one by one and skipped; then the exit code is 1.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from examples.kafka_records import DEFAULT_SERVERS, connected_producer, publish
from examples.resume_files import READERS, UnreadableResume, read_resume
from services.contracts.topics import APPLICATION_SUBMITTED, JOB_POSTED
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted, JobPosted


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--job-id", required=True)
    parser.add_argument("--title", default="")
    parser.add_argument("--job", type=Path, required=True, help="file with the description")
    parser.add_argument("--resumes", type=Path, required=True, help="folder of PDF, DOCX and TXT files")
    parser.add_argument("--bootstrap-servers", default=DEFAULT_SERVERS)
    options = parser.parse_args()

    applications, num_unreadable = [], 0
    for path in resume_paths(options.resumes):
        try:
            applications.append(application_of(path, options.job_id))
        except UnreadableResume as error:
            num_unreadable += 1
            print(error, file=sys.stderr)
    job = JobPosted(job_id=options.job_id, title=options.title, description=options.job.read_text("utf-8"))
    asyncio.run(send(options.bootstrap_servers, job, applications))
    print(f"{len(applications)} applications published, {num_unreadable} files skipped")
    return 1 if num_unreadable else 0


def resume_paths(folder: Path) -> list[Path]:
    """Returns the files of a folder that can be resumes, in the order of their names.

    Raises:
        SystemExit: two files would have the same application id.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in READERS)
    stems = [path.stem for path in paths]
    for path in paths:
        if stems.count(path.stem) > 1:
            raise SystemExit(f"{path}: another file has the same name apart from its ending")
    return paths


def application_of(path: Path, job_id: str) -> ApplicationSubmitted:
    """Returns the application that a file holds.

    Raises:
        UnreadableResume: it cannot be read, or its name is no id.
    """
    if not path.stem.isprintable() or any(character.isspace() for character in path.stem):
        raise UnreadableResume(f"{path}: an application id holds no white space; rename the file")
    return ApplicationSubmitted(application_id=path.stem, job_id=job_id, resume=read_resume(path))


async def send(bootstrap_servers: str, job: JobPosted, applications: list[ApplicationSubmitted]) -> None:
    """Publishes the job, then its applications, keyed by the job."""
    async with connected_producer(bootstrap_servers) as producer:
        await publish(producer, JOB_POSTED, [(job.job_id, job)])
        await publish(producer, APPLICATION_SUBMITTED, [(each.job_id, each) for each in applications])


if __name__ == "__main__":
    sys.exit(main())
