"""The model of the capacity page does what it says, with the limits of the real autoscaler."""

import math
import re

import pytest
import yaml

from tests.deploy.tools import KUBERNETES, ROOT
from tests.programs import capacity_simulation as simulation
from tests.programs.benchmarks.report.results_file import RESULTS_FILE, figures_of, load

MEASURED = ("services", "gemma-3-270m, bfloat16, cpu", "through Kafka")


def test_what_arrives_is_scored_or_waits() -> None:
    site = simulation.Site(pairs_per_second=5, is_autoscaled=False)

    run = simulation.simulate(site, lambda second: 7.0, 100)

    assert run.lag[-1] == pytest.approx(100 * (7 - 5))
    assert run.wait_seconds[-1] == pytest.approx(200 / 7, abs=2)


def test_enough_workers_leave_nothing_waiting() -> None:
    site = simulation.Site(pairs_per_second=5, min_workers=2, is_autoscaled=False)

    assert simulation.simulate(site, lambda second: 9.0, 100).lag[-1] == pytest.approx(0)


def test_the_autoscaler_follows_a_burst_and_stays_within_its_limits() -> None:
    site = simulation.Site()
    arrivals = simulation.burst(1.6, 6, 600, 1200)

    run = simulation.simulate(site, arrivals, 7200)
    fixed = simulation.simulate(simulation.replace(site, is_autoscaled=False), arrivals, 7200)

    assert 1 < max(run.workers) <= site.num_partitions
    assert run.workers[-1] == 1
    assert max(run.lag) < max(fixed.lag) / 3
    steps = [high - low for low, high in zip(run.workers, run.workers[1:], strict=False)]
    assert min(steps) == -1


def test_salt_takes_a_hot_job_off_a_single_partition() -> None:
    site = simulation.Site(5, min_workers=8, is_autoscaled=False, hot_share=0.6)

    hot = simulation.simulate(site, lambda second: 24.0, 600)
    salted = simulation.simulate(simulation.replace(site, num_salts=4), lambda second: 24.0, 600)

    assert sum(simulation.shares(site)) == pytest.approx(1)
    assert hot.lag[-1] > 5000
    assert salted.lag[-1] == pytest.approx(0)


def test_its_limits_are_those_of_the_scaled_object() -> None:
    text = (KUBERNETES / "components" / "keda" / "scaled_object.yaml").read_text()
    spec = yaml.safe_load(text)["spec"]
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]

    assert spec["pollingInterval"] == simulation.POLL_SECONDS
    assert spec["maxReplicaCount"] == simulation.Site().num_partitions
    assert int(spec["triggers"][0]["metadata"]["lagThreshold"]) == simulation.Site().lag_per_worker
    assert behavior["scaleUp"]["policies"][0] == {
        "type": "Percent",
        "value": 100,
        "periodSeconds": simulation.SCALE_UP_SECONDS,
    }
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == simulation.QUIET_SECONDS
    assert behavior["scaleDown"]["policies"][0]["periodSeconds"] == simulation.SCALE_DOWN_SECONDS


def test_the_table_follows_the_rule_and_the_measurement() -> None:
    text = (ROOT / "docs" / "capacity.md").read_text()
    benchmark, variant, way = MEASURED
    figures = figures_of(load(RESULTS_FILE)[benchmark][variant])
    measured = next(figure.median for figure in figures if figure.what == way)
    rows = re.findall(r"^\| ([\d,]+) \| ([\d,]+)[^|]*\| ([\d,]+) \| ([\d,]+) \|", text, re.MULTILINE)

    assert pytest.approx(measured, rel=0.3) == 2.9, "measured anew: write the new figures into the page"
    assert len(rows) == 3
    for rate, *workers in [[int(number.replace(",", "")) for number in row] for row in rows]:
        assert workers == [math.ceil(rate / (0.6 * pairs)) for pairs in (2.9, 100, 500)]
