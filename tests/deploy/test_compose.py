"""compose.yaml is read by the real docker-compose, and does not drift from the code."""

import json
import os
import re
import subprocess
from typing import Any

import pytest
import yaml

from services.contracts.topics import TOPICS
from services.events.kafka_client import MAX_RECORD_BYTES
from services.process.settings import PREFIX, Settings, load_settings
from services.scoring_worker.app import STOP_SECONDS
from tests.deploy.tools import DEPLOY, program

COMPOSE = DEPLOY / "compose.yaml"
SERVICES = {"worker": "scoring-worker", "api": "scoring-api", "trainer": "training-service"}


@pytest.fixture(scope="module", params=["cpu", "gpu"])
def composed(request: pytest.FixtureRequest) -> dict[str, Any]:
    return compose(request.param)


def compose(profile: str, **variables: str) -> dict[str, Any]:
    """Returns what docker-compose makes of the file, checked by it against the compose specification."""
    command = [program("docker-compose"), "-f", str(COMPOSE), "--profile", profile]
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    answer = subprocess.run(
        [*command, "config", "--format", "json"], capture_output=True, text=True, env=others | variables
    )
    assert answer.returncode == 0, answer.stderr
    content: dict[str, Any] = json.loads(answer.stdout)
    return content


def ours(composed: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in composed["services"].items() if "build" in each}


def test_every_process_runs_once(composed: dict[str, Any]) -> None:
    commands = sorted(each["command"][0] for each in ours(composed).values())
    others = composed["services"].keys() - ours(composed).keys()

    assert commands == ["api", "trainer", "worker"]
    assert others == {"kafka", "topics", "prometheus", "grafana"}


def test_only_the_profile_with_a_gpu_asks_for_one(composed: dict[str, Any]) -> None:
    for name, service in ours(composed).items():
        assert ("devices" in json.dumps(service.get("deploy", {}))) == name.endswith("-gpu")
        assert service["build"]["target"] == ("cuda" if name.endswith("-gpu") else "cpu")


def test_our_containers_are_hardened_and_have_time_to_drain(composed: dict[str, Any]) -> None:
    for service in ours(composed).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert int(seconds_of(service["stop_grace_period"])) > Settings().drain_seconds + STOP_SECONDS


def test_every_variable_is_a_setting(composed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for service in ours(composed).values():
        with monkeypatch.context() as patched:
            for name, value in service["environment"].items():
                patched.setenv(name, value)

            assert load_settings().kafka_bootstrap_servers == "kafka:9092"


def test_what_a_service_sets_for_itself_is_not_lost_in_the_merge(composed: dict[str, Any]) -> None:
    of_command = {each["command"][0]: each for each in ours(composed).values()}

    assert of_command["api"]["environment"]["SCORER_GRPC_HOST"] == "0.0.0.0"
    assert of_command["api"]["environment"]["SCORER_API_ALLOW_PLAINTEXT"] == "true"
    assert seconds_of(of_command["trainer"]["stop_grace_period"]) == 60


def test_scorers_share_a_volume_for_the_audit_log_which_is_off_unless_asked_for() -> None:
    for folder in ("", "/audit"):
        composed = compose("cpu", SCORER_AUDIT_LOG_DIR=folder)
        for service in ours(composed).values():
            is_scorer = service["command"] != ["trainer"]
            volumes = {each["source"]: each["target"] for each in service["volumes"]}
            assert volumes.get("audit") == ("/audit" if is_scorer else None)
            assert service["environment"].get("SCORER_AUDIT_LOG_DIR") == (folder if is_scorer else None)
    assert re.search(r"mkdir -p .*/audit\b", (DEPLOY / "Dockerfile").read_text())  # else it would be root's


def test_prometheus_scrapes_the_names_and_ports_of_the_services(composed: dict[str, Any]) -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    scraped = {
        (job["job_name"], place["names"][0], place["port"], job["metrics_path"])
        for job in config["scrape_configs"]
        for place in job["dns_sd_configs"]
    }
    aliases = {
        each["command"][0]: each["networks"]["default"]["aliases"][0] for each in ours(composed).values()
    }

    assert aliases == SERVICES
    assert scraped == {
        (name, name, getattr(Settings(), f"{command}_metrics_port"), "/metrics")
        for command, name in SERVICES.items()
    }


def test_volumes_of_the_image_are_mounted(composed: dict[str, Any]) -> None:
    for service in ours(composed).values():
        targets = {volume["target"] for volume in service["volumes"]}
        assert {"/models", "/adapters"} <= targets
        assert ("/var/lib/resume-scorer" in targets) == (service["command"] == ["trainer"])


def test_the_topics_are_those_of_the_code() -> None:
    lines = re.findall(r"^create (recruiting\S+|scoring\S+) (\S+) (\S+)(.*)$", script(), re.MULTILINE)

    assert {(name, policy, "$" in partitions) for name, policy, partitions, _ in lines} == {
        (spec.name, spec.cleanup_policy, spec.is_partitioned) for spec in TOPICS
    }
    for name, _, _, options in lines:
        assert (f"max.message.bytes={MAX_RECORD_BYTES}" in options) == name.endswith(".dlq")


def test_the_script_hands_kafka_what_it_says(tmp_path: Any) -> None:
    told = tmp_path / "told"
    fake = tmp_path / "kafka-topics.sh"
    fake.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    fake.chmod(0o755)
    ours = script().replace("/opt/kafka/bin/kafka-topics.sh", str(fake))

    subprocess.run(["sh", "-c", ours], env={"BOOTSTRAP": "k:1", "PARTITIONS": "8"}, check=True)

    calls = told.read_text().splitlines()
    assert len(calls) == len(TOPICS)
    assert all("--if-not-exists" in call and "--bootstrap-server k:1" in call for call in calls)
    assert sum("--partitions 8" in call for call in calls) == sum(spec.is_partitioned for spec in TOPICS)


def script() -> str:
    return (DEPLOY / "create_topics.sh").read_text()


def seconds_of(duration: str) -> float:
    minutes, _, seconds = duration.rpartition("m")
    return 60 * float(minutes or 0) + float(seconds.rstrip("s") or 0)
