"""Worker and API write a line for every score, and hold scores back while they cannot."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from services.contracts.scoring import PairRequest
from services.process.audit_log import input_digest
from services.process.settings import Settings
from tests.doubles.api import (
    JOB_TEXT,
    detail_of,
    failure_of,
    running_api,
    score_request,
    token_of,
    write_tokens,
)
from tests.doubles.files.full_folder import FullFolder
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.ports import free_port
from tests.doubles.scorer import FakeScorer
from tests.doubles.waiting import until_status


class FullDisk:
    """Makes ``os.write`` fail while ``is_full``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = True
        self.num_refused = 0
        real = os.write

        def write(file: int, content: Any) -> int:
            # Only lines of the audit log: the event loop and the broker write too.
            if self.is_full and b"input_sha256" in bytes(content):
                self.num_refused += 1
                raise OSError(28, "No space left on device")
            return real(file, content)

        monkeypatch.setattr("os.write", write)


def entries_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


async def test_every_answer_of_the_api_has_its_line_with_the_caller(tmp_path: Path) -> None:
    tokens = write_tokens(tmp_path / "tokens.toml", {"ats": ("score",), "other": ("score",)})
    folder = tmp_path / "audit"
    async with running_api(FakeScorer(), grpc_tokens_file=str(tokens), audit_log_dir=str(folder)) as api:
        answers = await asyncio.gather(
            *(
                api.scoring.Score(score_request(number), metadata=token_of("ats" if number % 2 else "other"))
                for number in range(20)
            )
        )

    entries = {entry["application_id"]: entry for entry in entries_of(folder)}
    assert len(entries) == 20
    for number, answer in enumerate(answers):
        entry = entries[f"application-{number}"]
        request = score_request(number)
        assert entry["caller"] == ("ats" if number % 2 else "other")
        assert entry["score"] == answer.result.score
        assert entry["input_sha256"] == input_digest(PairRequest("", JOB_TEXT, request.resume))


async def test_without_a_token_the_address_stands_in_the_line(tmp_path: Path) -> None:
    async with running_api(FakeScorer(), audit_log_dir=str(tmp_path)) as api:
        await api.scoring.Score(score_request(1))

    assert entries_of(tmp_path)[0]["caller"] == "anonymous@ipv4:127.0.0.1"


async def test_an_answer_that_cannot_be_noted_is_an_error_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_api(FakeScorer(), audit_log_dir=str(tmp_path)) as api:
        disk = FullDisk(monkeypatch)
        failure = await failure_of(api.scoring.Score(score_request(1)))
        disk.is_full = False
        await api.scoring.Score(score_request(2))

        assert failure.code() is grpc.StatusCode.UNAVAILABLE
        assert detail_of(failure, ErrorInfo).reason == "AUDIT_LOG_UNAVAILABLE"
        assert api.registry.get_sample_value("scoring_audit_log_failures_total") == 1
    assert [entry["application_id"] for entry in entries_of(tmp_path)] == ["application-2"]


async def test_the_api_is_not_ready_while_it_cannot_note_and_ready_again_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.process.audit_log.TRIAL_SECONDS", 0.05)
    monkeypatch.setattr("services.scoring_api.calls.health_service.FOLLOW_SECONDS", 0.05)
    async with running_api(FakeScorer(), audit_log_dir=str(tmp_path)) as api:
        health = health_pb2_grpc.HealthStub(api.channel)
        disk = FullFolder(tmp_path, monkeypatch)
        await failure_of(api.scoring.Score(score_request(1)))

        told = await until_status(api.addresses.http_port, "/readyz", 503, 3)
        async with asyncio.timeout(3):
            while (await health.Check(HealthCheckRequest())).status != HealthCheckResponse.NOT_SERVING:
                await asyncio.sleep(0.02)
        disk.is_full = False
        await until_status(api.addresses.http_port, "/readyz", 200, 3)

        assert told["checks"]["audit"] == "failing"
        assert (await health.Check(HealthCheckRequest())).status == HealthCheckResponse.SERVING
        await api.scoring.Score(score_request(2))
    assert [entry["application_id"] for entry in entries_of(tmp_path)] == ["application-2"]


async def test_the_worker_holds_a_score_back_until_it_is_noted_and_loses_none(
    settings: Settings, desk: KafkaDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.scoring_worker.application_processing.AUDIT_PAUSE_SECONDS", 0.05)
    port = free_port()
    desk.settings = settings.model_copy(update={"audit_log_dir": str(tmp_path), "worker_metrics_port": port})
    disk = FullDisk(monkeypatch)
    await desk.post_job("job")
    for number in range(5):
        await desk.apply(f"a-{number}", "job")
    await desk.flush()
    async with desk.worker() as metrics:
        async with asyncio.timeout(30):
            while disk.num_refused < 10:
                await asyncio.sleep(0.02)
        assert (await until_status(port, "/readyz", 503, 5))["checks"]["audit"] == "failing"
        assert (
            metrics.registry.get_sample_value(
                "scoring_requests_total", {"entrypoint": "kafka", "outcome": "ok"}
            )
            == 0
        )
        disk.is_full = False
        scores = await desk.scores(5)

    noted = {entry["application_id"]: entry["score"] for entry in entries_of(tmp_path)}
    assert noted == {desk.name(name): value["score"] for name, value in scores.items()}
    assert all(
        entry["caller"].startswith("recruiting.application.submitted.v1/") for entry in entries_of(tmp_path)
    )
