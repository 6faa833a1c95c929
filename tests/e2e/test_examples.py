"""The examples, run as their documentation says, against ``resume-scorer up`` with a tiny model."""

import asyncio
import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from services.contracts.topics import SCORE_LABELLED
from tests.doubles.files.resume_samples import write_docx, write_pdf
from tests.doubles.processes.forked import run_forked

pytestmark = pytest.mark.slow

JOB = "Cares for patients on two wards; intensive care, BLS and ACLS."


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Runs ``up`` for this module and yields where its parts listen."""
    folder = tmp_path_factory.mktemp("up")
    environment = os.environ | {
        "SCORER_BASE_MODEL": "random:tiny-gemma-3",
        "SCORER_DTYPE": "float32",
        "SCORER_DEVICE": "cpu",
        "SCORER_TRAINER_DIR": str(folder / "trainer"),
        "SCORER_ADAPTER_STORE": str(folder / "store"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "up"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        found: dict[str, str] = {}
        for line in iter(process.stdout.readline, ""):
            if address := re.match(r"(Kafka|gRPC) +(\S+)", line):
                found[address[1]] = address[2]
            if "Ctrl-C ends everything" in line:
                break
        assert set(found) == {"Kafka", "gRPC"}
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        process.stdout.close()


def run_example(name: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return run_forked(f"examples.{name}", *map(str, arguments))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_of_resumes_becomes_a_table_of_scores(addresses: dict[str, str], tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    write_pdf(inbox / "app-1.pdf", "Ten years of intensive care")
    write_docx(inbox / "app-2.docx", "Five years of surgery", "ACLS")
    (inbox / "app-3.txt").write_text("A cook.")
    write_pdf(inbox / "app-4.pdf", "")
    (tmp_path / "job.txt").write_text(JOB)
    kafka = ("--bootstrap-servers", addresses["Kafka"])
    job = ("--job-id", "folder-nurse", "--title", "Nurse", "--job", tmp_path / "job.txt")

    published = run_example("publish_folder", *job, "--resumes", inbox, *kafka)
    table = tmp_path / "scores.csv"
    collected = run_example(
        "collect_scores", "--output", table, "--count", 3, "--job-id", "folder-nurse", *kafka
    )

    assert published.stdout == "3 applications published, 1 files skipped\n"
    assert (published.returncode, "app-4.pdf" in published.stderr) == (1, True)
    assert collected.returncode == 0, collected.stderr
    rows = rows_of(table)
    assert {row["application_id"] for row in rows} == {"app-1", "app-2", "app-3"}
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert all(row["category"] for row in rows)


def test_tables_of_jobs_and_applications_are_scored(addresses: dict[str, str], tmp_path: Path) -> None:
    jobs, applications, table = (tmp_path / f"{name}.csv" for name in ("jobs", "applications", "scores"))
    jobs.write_text(f'job_id,title,description\ncsv-nurse,Nurse,"{JOB}"\n')
    applications.write_text(
        'application_id,job_id,resume\ncsv-1,csv-nurse,"Ten years,\nACLS"\ncsv-2,csv-nurse,A cook.\n'
    )
    kafka = ("--bootstrap-servers", addresses["Kafka"])

    published = run_example("publish_csv", "--jobs", jobs, "--applications", applications, *kafka)
    collected = run_example(
        "collect_scores", "--output", table, "--count", 2, "--job-id", "csv-nurse", *kafka
    )

    assert published.stdout == "1 jobs and 2 applications published\n", published.stderr
    assert collected.returncode == 0, collected.stderr
    assert {row["application_id"] for row in rows_of(table)} == {"csv-1", "csv-2"}


def test_a_row_that_is_not_right_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    applications = tmp_path / "applications.csv"
    applications.write_text("application_id,job_id,resume\ncsv-1,j,Ten years\ncsv-2,j, \n")

    refused = run_example("publish_csv", "--applications", applications, "--bootstrap-servers", "127.0.0.1:1")

    assert refused.returncode == 1
    assert refused.stderr == f"{applications}: line 3: resume is empty\n"


def test_labels_reach_the_feedback_topic_and_a_bad_one_is_named(
    addresses: dict[str, str], tmp_path: Path
) -> None:
    labels, bad = tmp_path / "labels.csv", tmp_path / "bad.csv"
    labels.write_text("application_id,rater,score,category\ncsv-1,r-7,82,\ncsv-2,r-7,,poor\n")
    bad.write_text("application_id,rater,score\ncsv-1,r-7,820\n")
    target = ("--target", addresses["gRPC"], "--plaintext")

    sent = run_example("send_labels", labels, *target)
    refused = run_example("send_labels", bad, *target)

    assert sent.stdout == "2 labels sent\n", sent.stderr
    assert refused.returncode == 1
    assert "bad.csv: line 2: INVALID_ARGUMENT" in refused.stderr
    assert "label.score" in refused.stderr
    judged = asyncio.run(_labels(addresses["Kafka"], 2))
    assert {each["application_id"]: (each.get("score"), each["category"]) for each in judged} == {
        "csv-1": (82.0, ""),
        "csv-2": (None, "poor"),
    }


async def _labels(bootstrap_servers: str, num: int) -> list[dict[str, str]]:
    consumer = AIOKafkaConsumer(
        SCORE_LABELLED, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            return [json.loads((await consumer.getone()).value) for _ in range(num)]
    finally:
        await consumer.stop()
