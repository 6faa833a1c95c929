"""Measures what the cost model of docs/performance.md is fitted to: prefix share and batch budget."""

import time
from dataclasses import asdict
from statistics import median
from typing import Any

from services.devkit.engine_benchmark import TokenCounter
from services.scoring.engine.scoring_engine import ScoringEngine
from tests.programs.benchmarks.cost.cost_model import Measured, Pair, fit
from tests.programs.benchmarks.report.figures import Outcome, over_rounds
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import WorkSize, fresh_work, running, score_all

NUM_PAIRS = 48
RESUMES_PER_JOB = (1, 2, 4, 8, 16, 48)
CPU_BUDGETS, CUDA_BUDGETS = (512, 1024, 2048, 4096), (2_048, 8_192, 20_000, 40_000)
BUDGET_RESUMES_PER_JOB = 16


class _PassCounter(TokenCounter):
    """Counts batches and computed prefixes, too."""

    def reset(self) -> None:
        super().reset()
        self.num_batches = 0

    def on_batch(self, num_pairs: int, num_tokens: int, num_padding_tokens: int) -> None:
        super().on_batch(num_pairs, num_tokens, num_padding_tokens)
        self.num_batches += 1

    @property
    def num_passes(self) -> int:
        return self.num_batches + self.num_lookups - self.num_hits


async def cost(setup: Setup) -> Outcome:
    """Scores the same number of pairs with more and more resumes a job, then with larger batches."""
    base, budgets = setup.base(), CPU_BUDGETS
    if base.model.device.type == "cuda":
        budgets = CUDA_BUDGETS
    counter = _PassCounter()
    figures, shares, sizes, pair = [], [], [], Pair(0, 0)
    with running(base, setup.engine_spec(), counter) as engine:
        pair = _typical(engine, setup)
        await _point(engine, counter, BUDGET_RESUMES_PER_JOB, 1)
        for resumes_per_job in RESUMES_PER_JOB:
            point = await _point(engine, counter, resumes_per_job, setup.num_rounds)
            shares.append({"resumes_per_job": resumes_per_job, **point})
            what = f"{resumes_per_job} resume{'s' * (resumes_per_job > 1)} a job"
            figures.append(over_rounds(what, point["pairs_per_second"], "pairs/s"))
    for budget in budgets:
        spec = setup.engine_spec(batch_token_budget=budget)
        with running(setup.base(), spec, counter) as engine:
            await _point(engine, counter, BUDGET_RESUMES_PER_JOB, 1)
            point = await _point(engine, counter, BUDGET_RESUMES_PER_JOB, setup.num_rounds)
            sizes.append({"batch_tokens": budget, **point})
            figures.append(over_rounds(f"batches of {budget:,} tokens", point["pairs_per_second"], "pairs/s"))
    fitted = fit([_measured(point) for point in shares])
    return Outcome(
        tuple(figures),
        details={"pair": asdict(pair), "cost": asdict(fitted), "resumes_per_job": shares, "budgets": sizes},
    )


async def _point(
    engine: ScoringEngine, counter: _PassCounter, resumes_per_job: int, num_rounds: int
) -> dict[str, Any]:
    size = WorkSize(NUM_PAIRS // resumes_per_job, resumes_per_job)
    speeds, passes = [], []
    for _ in range(num_rounds):
        requests = fresh_work(size)
        counter.reset()
        started = time.perf_counter()
        await score_all(engine, requests)
        speeds.append(len(requests) / (time.perf_counter() - started))
        passes.append(counter.num_passes)
    return {
        "pairs_per_second": speeds,
        "tokens_per_pair": counter.num_tokens / size.num_pairs,
        "passes_per_pair": median(passes) / size.num_pairs,
    }


def _measured(point: dict[str, Any]) -> Measured:
    return Measured(point["tokens_per_pair"], point["passes_per_pair"], 1 / median(point["pairs_per_second"]))


def _typical(engine: ScoringEngine, setup: Setup) -> Pair:
    prompts = [engine._reader.read(r.job_description, r.resume).prompt for r in setup.fresh_work()]
    return Pair(median(len(p.prefix) for p in prompts), median(len(p.suffix) for p in prompts))
