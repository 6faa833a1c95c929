"""``resume-scorer bench``: how fast this model is on this machine, and which settings suit it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from services.cli.command_settings import adapter_settings
from services.contracts.scoring import PairRequest
from services.devkit import out, say
from services.devkit.budget_benchmark import measure_budgets
from services.scoring.model.loading.base_model import load_base_model
from training.synthetic.generator import generate_pairs

_RESUMES_PER_JOB = 10


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
    spec = adapter_settings(adapter)
    requests = [
        PairRequest(str(number), row["job_description"], row["resume"])
        for number, row in enumerate(generate_pairs(pairs, seed=77, resumes_per_job=_RESUMES_PER_JOB))
    ]
    base = load_base_model(spec, say if not as_json else lambda _: None)
    figures = asyncio.run(measure_budgets(base, spec, requests))
    if as_json:
        print(json.dumps(figures))
    else:
        _print(figures)


def _print(figures: dict[str, Any]) -> None:
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
