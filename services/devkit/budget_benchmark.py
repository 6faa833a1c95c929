"""Measures which batch budget suits a model on this machine, for ``resume-scorer bench``."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch

from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings
from services.contracts.scoring import PairRequest
from services.devkit.engine_benchmark import (
    TokenCounter,
    as_new_jobs,
    pairs_per_second,
    waits_alone,
    waits_under_load,
)
from services.devkit.process_memory import peak_memory_bytes
from services.scoring.engine import assemble_engine
from services.scoring.model.loading.base_model import BaseModel

_CPU_BUDGETS, _CUDA_BUDGETS = (1024, 2048, 4096), (8192, 20_000, 40_000)  # tokens
_LOAD_SHARE = 0.7
_NUM_ALONE = 10


async def measure_budgets(
    base: BaseModel, spec: EngineSettings, requests: Sequence[PairRequest]
) -> dict[str, Any]:
    """Returns speed and padding with each budget, waits with the fastest, peak memory, and what to set.

    Args:
        spec: of the engine; its budget and its queue's bound are varied.
        requests: some jobs with some resumes each; all of them are scored once a budget.
    """
    budgets = _CUDA_BUDGETS if base.model.device.type == "cuda" else _CPU_BUDGETS
    bursts = [await _burst(base, spec, requests, budget) for budget in budgets]
    best = max(bursts, key=lambda burst: burst["pairs_per_second"])
    return {
        "base_model": base.name,
        "quantization": base.quantization,
        "device": base.model.device.type,
        "pairs": len(requests),
        "budgets": bursts,
        **await _waits(base, spec, requests, best),
        "peak_memory_bytes": peak_memory_bytes(),
        "peak_gpu_memory_bytes": _peak_gpu_memory_bytes(base),
        "suggested": {
            "SCORER_BATCH_TOKEN_BUDGET": best["batch_token_budget"],
            "SCORER_MAX_QUEUED_PAIRS": max(64, int(30 * best["pairs_per_second"])),
        },
    }


async def _burst(
    base: BaseModel, spec: EngineSettings, requests: Sequence[PairRequest], budget: int
) -> dict[str, Any]:
    counter = TokenCounter()
    engine = assemble_engine(base, _with_room(spec, requests, budget), counter)
    engine.start()
    try:
        await pairs_per_second(engine, as_new_jobs(requests[:_NUM_ALONE], "warm-up"))
        counter.reset()  # warming up does not count
        speed = await pairs_per_second(engine, as_new_jobs(requests, "burst"))
    finally:
        engine.close()
    return {
        "batch_token_budget": budget,
        "pairs_per_second": speed,
        "tokens_per_pair": counter.num_tokens / len(requests),
        "padding_share": counter.num_padding_tokens / max(1, counter.num_tokens),
        "prefix_hit_share": counter.num_hits / max(1, counter.num_lookups),
    }


async def _waits(
    base: BaseModel, spec: EngineSettings, requests: Sequence[PairRequest], best: dict[str, Any]
) -> dict[str, Any]:
    spec = _with_room(spec, requests, best["batch_token_budget"])
    engine = assemble_engine(base, spec, SilentObserver())
    engine.start()
    try:
        alone = await waits_alone(engine, as_new_jobs(requests[:_NUM_ALONE], "alone"))
        rate = _LOAD_SHARE * best["pairs_per_second"]
        loaded = await waits_under_load(engine, as_new_jobs(requests, "load"), rate)
    finally:
        engine.close()
    return {
        "seconds_alone": dataclasses.asdict(alone),
        "load_pairs_per_second": rate,
        "seconds_under_load": dataclasses.asdict(loaded),
    }


def _with_room(spec: EngineSettings, requests: Sequence[PairRequest], budget: int) -> EngineSettings:
    return spec.having(batch_token_budget=budget, max_queued_pairs=len(requests) + 1)


def _peak_gpu_memory_bytes(base: BaseModel) -> int | None:
    device = base.model.device
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else None
