"""``bench`` with a tiny model: every figure is there, and the fastest budget is suggested."""

import json

import pytest

from tests.doubles.models import TINY_MODEL
from tests.doubles.processes.forked import run_forked


@pytest.mark.slow
def test_the_command_measures_and_suggests() -> None:
    variables = {"SCORER_BASE_MODEL": TINY_MODEL, "SCORER_DTYPE": "float32"}

    run = run_forked("services.cli", "bench", "--pairs", "20", "--json", **variables)

    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout)

    assert [burst["batch_token_budget"] for burst in figures["budgets"]] == [1024, 2048, 4096]
    assert all(burst["pairs_per_second"] > 0 for burst in figures["budgets"])
    assert all(0.4 < burst["prefix_hit_share"] < 1 for burst in figures["budgets"])
    best = max(figures["budgets"], key=lambda burst: burst["pairs_per_second"])
    assert figures["suggested"]["SCORER_BATCH_TOKEN_BUDGET"] == best["batch_token_budget"]
    assert figures["seconds_under_load"]["percentile_99"] >= figures["seconds_under_load"]["median"] > 0
