"""Runs the benchmarks and writes their figures: ``python -m tests.benchmarks``, or ``make bench``."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.contracts.engine_observer import SilentObserver
from services.scoring.base_model import load_base_model
from services.scoring.engine_factory import assemble_engine
from services.service_kit.engine_settings import engine_spec
from services.service_kit.logging import configure_logging
from services.service_kit.settings import load_settings
from tests.benchmarks import engine_marks, main_path
from tests.benchmarks.machine import describe_machine
from tests.benchmarks.rounds import Comparison

RESULTS = Path(__file__).parent / "results"


async def run() -> dict[str, Any]:
    settings = load_settings()
    configure_logging(settings.model_copy(update={"log_level": "ERROR"}), "benchmark")
    spec = engine_spec(settings)
    base = load_base_model(spec.base_model, print)
    engine = assemble_engine(base, spec, SilentObserver())
    engine.start()
    try:
        services = await main_path.through_kafka_and_grpc(engine)
    finally:
        engine.close()
    show("the engine alone, and behind Kafka and gRPC", services)
    prefix = await main_path.prefix_cache(base, spec)
    show("the job part computed once", prefix)
    spread = await main_path.spread_between_batches(base, spec)
    print(f"\nspread between batches: {spread}")
    guide = await engine_marks.against_the_guide(base, spec)
    show("one generate a pair, 4-bit, unmerged LoRA, as the guide does it", guide)
    lora = await engine_marks.lora_against_none(base, spec) if spec.adapter else None
    if lora:
        show("what LoRA costs", lora)
    padding = await engine_marks.padding_share(base, spec)
    print(f"\npadding on resumes of 100 to 1,500 tokens: {100 * padding:.1f} % of computed tokens")
    waits = await engine_marks.waits(base, spec)
    print(f"\nwaits at 70 % of the capacity, open loop: {waits}")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe_machine(),
        "model": {"name": base.name, "quantization": base.quantization, "dtype": str(base.model.dtype)},
        "rounds": main_path.NUM_ROUNDS,
        "pairs_a_round": main_path.NUM_JOBS * main_path.NUM_RESUMES,
        "services": services.figures(),
        "prefix": prefix.figures(),
        "spread": spread,
        "guide": guide.figures(),
        "lora": lora.figures() if lora else None,
        "padding_share_mixed_lengths": padding,
        "waits": waits,
    }


def show(title: str, comparison: Comparison) -> None:
    print(f"\n{title} (ratio to: {comparison.baseline})")
    for name, figures in comparison.figures().items():
        print(
            f"  {name:<16}{figures['pairs_per_second']:8.2f} pairs/s  ratio {figures['ratio']:.3f}"
            f"  ({figures['lowest_ratio']:.3f}-{figures['highest_ratio']:.3f})"
        )


if __name__ == "__main__":
    figures = asyncio.run(run())
    RESULTS.mkdir(exist_ok=True)
    model = figures["model"]
    file = RESULTS / f"main-path-{model['name']}-{model['quantization']}.json"
    file.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nwritten: {file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file.name}")
