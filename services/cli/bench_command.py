"""``resume-scorer bench``: how fast this model is on this machine, and which settings suit it."""

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.cli.command_settings import load_command_settings
from services.contracts.engine_observer import SilentObserver
from services.contracts.scoring import PairRequest
from services.devkit.console import out, say
from services.devkit.process_memory import peak_memory_bytes

if TYPE_CHECKING:
    from services.contracts.engine_settings import EngineSettings
    from services.scoring.model.base_model import BaseModel

_CPU_BUDGETS, _CUDA_BUDGETS = (1024, 2048, 4096), (8192, 20_000, 40_000)
_RESUMES_PER_JOB = 10
_LOAD_SHARE = 0.7
_NUM_ALONE = 10


@click.command()
@click.option("--pairs", type=click.IntRange(20), default=60, show_default=True, help="Pairs of one burst.")
@click.option(
    "--adapter",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="A LoRA adapter, instead of the one in the settings.",
)
@click.option("--json", "as_json", is_flag=True, help="The figures as one JSON object.")
def bench(pairs: int, adapter: Path | None, as_json: bool) -> None:
    """Scores invented pairs with several batch budgets; prints speed, waits, memory and what to set."""
    from services.scoring.model.base_model import load_base_model
    from training.synthetic.generator import generate_pairs

    settings = load_command_settings(**({"adapter": str(adapter)} if adapter else {}))
    spec = settings
    requests = [
        PairRequest(str(number), row["job_description"], row["resume"])
        for number, row in enumerate(generate_pairs(pairs, seed=77, resumes_per_job=_RESUMES_PER_JOB))
    ]
    base = load_base_model(spec, say if not as_json else lambda _: None)
    figures = asyncio.run(_measure(base, spec, requests))
    if as_json:
        print(json.dumps(figures))
    else:
        _print(figures)


async def _measure(base: "BaseModel", spec: "EngineSettings", requests: list[PairRequest]) -> dict[str, Any]:
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
    base: "BaseModel", spec: "EngineSettings", requests: list[PairRequest], budget: int
) -> dict[str, Any]:
    from services.devkit.engine_benchmark import TokenCounter, as_new_jobs, pairs_per_second
    from services.scoring.engine.factory import assemble_engine

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
    base: "BaseModel", spec: "EngineSettings", requests: list[PairRequest], best: dict[str, Any]
) -> dict[str, Any]:
    from services.devkit.engine_benchmark import as_new_jobs, waits_alone, waits_under_load
    from services.scoring.engine.factory import assemble_engine

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


def _with_room(spec: "EngineSettings", requests: list[PairRequest], budget: int) -> "EngineSettings":
    return spec.having(batch_token_budget=budget, max_queued_pairs=len(requests) + 1)


def _peak_gpu_memory_bytes(base: "BaseModel") -> int | None:
    import torch

    device = base.model.device
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else None


def _print(figures: dict[str, Any]) -> None:
    from rich.table import Table

    title = (
        f"{figures['base_model']} ({figures['quantization']}, {figures['device']}), {figures['pairs']} pairs"
    )
    table = Table("batch budget", "pairs/s", "tokens a pair", "padding", "prefix hits", title=title)
    for burst in figures["budgets"]:
        table.add_row(
            str(burst["batch_token_budget"]),
            f"{burst['pairs_per_second']:.2f}",
            f"{burst['tokens_per_pair']:.0f}",
            f"{100 * burst['padding_share']:.1f} %",
            f"{100 * burst['prefix_hit_share']:.0f} %",
        )
    out.print(table)
    alone, loaded = figures["seconds_alone"], figures["seconds_under_load"]
    out.print(f"one pair alone: median {alone['median']:.3f} s")
    out.print(
        f"at {figures['load_pairs_per_second']:.2f} pairs/s (70 %): median {loaded['median']:.3f} s, "
        f"99th percentile {loaded['percentile_99']:.3f} s"
    )
    out.print(f"peak memory: {figures['peak_memory_bytes'] / 2**30:.2f} GiB")
    if figures["peak_gpu_memory_bytes"]:
        out.print(f"peak GPU memory: {figures['peak_gpu_memory_bytes'] / 2**30:.2f} GiB")
    for name, value in figures["suggested"].items():
        out.print(f"suggested: {name}={value}", markup=False)
