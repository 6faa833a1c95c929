from pathlib import Path

import pytest

from tests.programs.benchmarks.cost.cost_model import (
    Cost,
    Measured,
    Pair,
    Shape,
    fit,
    operations,
    pairs_per_second,
    passes_per_pair,
    tokens_per_pair,
)
from tests.programs.benchmarks.cost.cost_plot import draw

PAIR = Pair(prefix=400, suffix=310)


def test_a_job_s_tokens_are_shared_by_its_resumes() -> None:
    assert tokens_per_pair(PAIR, 1) == 720
    assert tokens_per_pair(PAIR, 20) == 340
    assert tokens_per_pair(PAIR, 20, padding_share=0.5) == 650


def test_a_batch_holds_whole_pairs_and_at_least_one() -> None:
    assert passes_per_pair(PAIR, 4, 640) == 1 / 2 + 1 / 4
    assert passes_per_pair(PAIR, 4, 100) == 1 + 1 / 4


def test_the_fit_finds_the_costs_that_runs_were_made_with() -> None:
    cost = Cost(seconds_per_token=0.001, seconds_per_pass=0.02)
    runs = []
    for resumes_per_job in (1, 2, 8, 32):
        tokens, passes = tokens_per_pair(PAIR, resumes_per_job), passes_per_pair(PAIR, resumes_per_job, 2048)
        runs.append(Measured(tokens, passes, 1 / pairs_per_second(cost, PAIR, resumes_per_job, 2048)))

    found = fit(runs)

    assert found.seconds_per_token == pytest.approx(0.001)
    assert found.seconds_per_pass == pytest.approx(0.02)


def test_no_pass_costs_less_than_nothing() -> None:
    found = fit([Measured(100, 4, 0.1), Measured(200, 1, 0.25)])

    assert found.seconds_per_pass == 0
    assert 0.001 <= found.seconds_per_token <= 0.00125


def test_operations_are_those_of_gemma_2_2b() -> None:
    shape = Shape(2304, 9216, 26, 8, 4, 256)

    assert shape.linear_weights == pytest.approx(2.02e9, rel=0.01)  # 2.6 billion less the embeddings
    whole = operations(shape, 600)
    assert whole == pytest.approx(2 * shape.linear_weights * 600, rel=0.02)
    assert operations(shape, 400) + operations(shape, 200, 400) == whole


def test_a_result_can_be_drawn(tmp_path: Path) -> None:
    point = {"pairs_per_second": [4.0, 5.0], "tokens_per_pair": 500, "passes_per_pair": 0.3}
    details = {
        "pair": {"prefix": 400, "suffix": 310},
        "cost": {"seconds_per_token": 0.0005, "seconds_per_pass": 0.01},
        "resumes_per_job": [{"resumes_per_job": 1, **point}, {"resumes_per_job": 8, **point}],
        "budgets": [{"batch_tokens": 512, **point}, {"batch_tokens": 4096, **point}],
    }

    draw({"details": details}, "gemma-3-270m, bfloat16, cpu", tmp_path / "pictures" / "performance.png")

    assert (tmp_path / "pictures" / "performance.png").stat().st_size > 10_000
