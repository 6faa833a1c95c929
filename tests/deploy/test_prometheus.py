"""The real Prometheus server on running services knows every metric that rules and dashboards use."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml

from services.events.kafka_client import create_topics
from services.process.settings import Settings
from tests.deploy.tools import DEPLOY, GRAFANA, ROOT, RULES, grafana_module, program
from tests.doubles.processes.monitored_services import monitored_services

# What this machine cannot give, and why; every query on another metric must have series.
NOT_HERE = {"scoring_gpu_memory": "needs a CUDA device"}
NAMES = re.compile(r"(?<![:\w])(?:(?:scoring|finetuning|process)_[a-z_]+|up)\b(?!:)")
QUOTED = re.compile(r'"[^"]*"')
RULE_TESTS = sorted((DEPLOY / "prometheus" / "rule_tests").glob("*.yml"))


def alerts() -> list[dict[str, str]]:
    content = yaml.safe_load((RULES / "alerts.yml").read_text())
    return [rule for group in content["groups"] for rule in group["rules"]]


def dashboard_queries() -> Iterator[str]:
    for dashboard in grafana_module("dashboards").DASHBOARDS:
        for panel in dashboard.panels:
            for query in panel.queries:
                yield query.expression


def rule_expressions() -> Iterator[str]:
    for file in RULES.glob("*.yml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield rule["expr"]


def names_in(expressions: Iterable[str]) -> set[str]:
    """Returns the metrics that expressions use, without what rules record."""
    return {name for each in expressions for name in NAMES.findall(QUOTED.sub("", each))}


def is_to_be_found(expression: str) -> bool:
    return not any(name in expression for name in NOT_HERE)


def test_prometheus_takes_the_configuration() -> None:
    command = [program("promtool"), "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml")]

    checked = subprocess.run(command, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rule_tests_pass() -> None:
    command = [program("promtool"), "test", "rules", *map(str, RULE_TESTS)]

    checked = subprocess.run(command, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_has_a_rule_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    outcomes = {
        (case["alertname"], bool(case.get("exp_alerts")))
        for file in RULE_TESTS
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test["alert_rule_test"]
    }

    assert outcomes == {(alert["alert"], fires) for alert in alerts() for fires in (True, False)}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_has_a_severity_and_a_runbook(alert: dict[str, dict[str, str]]) -> None:
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^## (.+)$", (ROOT / page).read_text(), re.MULTILINE)

    assert anchor in [heading.lower() for heading in headings]
    assert alert["labels"]["severity"] in ("page", "ticket")


def test_the_dashboards_files_are_current() -> None:
    source = grafana_module("dashboards")

    for dashboard in source.DASHBOARDS:
        text = (GRAFANA / "dashboards" / f"{dashboard.uid}.json").read_text()
        assert text == source.dashboard_json(dashboard), "run: python deploy/grafana/dashboards.py"


@pytest.mark.slow
async def test_the_real_server_finds_what_rules_and_dashboards_ask_for(
    settings: Settings, cache_dir: Path, tmp_path: Path
) -> None:
    await create_topics(settings)
    async with monitored_services(settings, cache_dir, tmp_path) as services:
        await services.send(12)
        await services.until('scoring_requests_total{entrypoint="kafka", outcome="ok"} >= 12')
        await services.until('scoring_adapter_switches_total{outcome="ok"} == 1')
        await services.until('finetuning_jobs_total{outcome="published"} == 1')
        await services.send(6)
        await services.until('scoring_requests_total{entrypoint="kafka", outcome="ok"} >= 18')
        await services.until("job:scoring_prefix_hits:ratio_rate5m > 0")

        names = names_in((*rule_expressions(), *dashboard_queries()))
        missing_names = [
            name for name in sorted(names) if is_to_be_found(name) and not await services.query(name)
        ]
        empty_queries = [
            each for each in dashboard_queries() if is_to_be_found(each) and not await services.query(each)
        ]
        rules = [rule for group in await services.rule_groups() for rule in group["rules"]]
        picture = tmp_path / "dashboard.png"
        grafana_module("render").render(services.server, 1.0, picture)

    assert len(names) > 25
    assert missing_names == []
    assert empty_queries == []
    assert {rule["health"] for rule in rules} == {"ok"}, [rule for rule in rules if rule["health"] != "ok"]
    assert picture.stat().st_size > 50_000
