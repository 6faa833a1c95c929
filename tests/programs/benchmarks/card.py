"""A graphics card's figures with gemma-2-2b's shape and random weights; on a CPU the same code, small.

A share of the card's own rate says more than pairs a second: it does not change with the card.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from services.contracts.scoring import PairRequest
from services.devkit.process_memory import peak_memory_bytes
from services.process.settings import Settings
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model.loading.base_model import BaseModel, load_base_model
from services.scoring.reading.score_scale import NUM_TREE_NODES
from tests.programs.benchmarks.cost.cost_model import Shape, operations
from tests.programs.benchmarks.random_adapter import write_random_adapter
from tests.programs.benchmarks.report.figures import Outcome, over_rounds
from tests.programs.benchmarks.rig.rounds import compare
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import WorkSize, running, score_all

if TYPE_CHECKING:
    import torch

CARD_MODEL, SMALL_MODEL = "random:gemma-2-2b", "random:small-gemma-2"
SMALL_NOTE = "no CUDA device: the same code on the CPU at a small shape; says nothing of a card"
CARD_SIZE, SMALL_SIZE = WorkSize(20, 20), WorkSize(4, 6)
LEAST_SHARE_PERCENT = 60
# About 300 tokens each, instruction and question included, at 4.5 and 3.9 characters a token.
JOB_CHARACTERS, RESUME_CHARACTERS = 880, 1_100
CARD_MATRIX, SMALL_MATRIX = 8_192, 512
PRODUCTS_SECONDS = 1.0


@contextmanager
def card_setup(settings: Settings, num_rounds: int) -> Iterator[Setup]:
    """Gives a setup with a random model that fits the device and an adapter of rank 16 on seven modules."""
    import torch

    is_card = torch.cuda.is_available()
    size, note = (CARD_SIZE, "") if is_card else (SMALL_SIZE, SMALL_NOTE)
    with TemporaryDirectory() as scratch:
        name = CARD_MODEL if is_card else SMALL_MODEL
        settings = settings.model_copy(update={"base_model": name, "adapter": "none"})
        setup = Setup(settings, settings, size, num_rounds, note)
        adapter = write_random_adapter(setup.base("none"), Path(scratch) / "adapter")
        setup.spec = setup.spec.having(adapter=str(adapter))
        yield setup


async def card_rate(setup: Setup) -> Outcome:
    """Compares the engine's useful operations with the card's own bf16 matrix products.

    Pairs of 600 tokens, each with a job of its own, then with a job of 300 tokens shared by twenty.
    """
    import torch

    base = setup.base()
    shape, device = _shape(base), base.model.device
    alone = [_cut(request, f"{number} ") for number, request in enumerate(setup.fresh_work())]
    shared = [_cut(request, "") for request in setup.fresh_work()]
    rates = []
    with running(base, setup.engine_spec()) as engine:

        async def score(requests: list[PairRequest]) -> int:
            engine._scorer._cache.clear()
            rates.append(matrix_rate(device))
            started = time.perf_counter()
            await score_all(engine, requests)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds[requests is shared].append(time.perf_counter() - started)
            return len(requests)

        seconds: tuple[list[float], list[float]] = ([], [])
        ways = {"unshared": lambda: score(alone), "shared job": lambda: score(shared)}
        await compare("unshared", ways, setup.num_rounds)
        work = [_operations(engine, shape, requests) for requests in (alone, shared)]
    rate = median(rates)
    mark = LEAST_SHARE_PERCENT if device.type == "cuda" else None
    figures = [over_rounds("bf16 matrix products", [value / 1e12 for value in rates], "Top/s")]
    for name, took, count in zip(("unshared", "shared job"), seconds, work, strict=True):
        figures.append(over_rounds(name, [len(alone) / value for value in took[1:]], "pairs/s"))
        shares = [100 * count / value / rate for value in took[1:]]
        figures.append(over_rounds(f"{name}, of the card's rate", shares, "%", at_least=mark))
    return Outcome(tuple(figures), setup.note)


def matrix_rate(device: "torch.device") -> float:
    """Returns operations a second of square bf16 matrix products: what the device gives at best."""
    import torch

    size = CARD_MATRIX if device.type == "cuda" else SMALL_MATRIX
    left, right = (torch.randn(size, size, dtype=torch.bfloat16, device=device) for _ in range(2))
    float((left @ right)[0, 0])  # the first one chooses its kernel
    done, seconds = 0, 0.0
    while seconds < PRODUCTS_SECONDS:
        started = time.perf_counter()
        for _ in range(10):
            product = left @ right
        float(product[0, 0])  # waits for the device
        seconds += time.perf_counter() - started
        done += 10
    return done * 2 * size**3 / seconds


async def card_memory(setup: Setup) -> Outcome:
    """Loads the model alone, scores a round with the adapter, and tells the most memory that was in use."""
    import torch

    setup.forget_models()
    gc.collect()
    is_card = torch.cuda.is_available()
    before = 0
    if is_card:
        torch.cuda.empty_cache()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
    peaks = []
    with running(load_base_model(setup.spec), setup.engine_spec()) as engine:
        for _ in range(setup.num_rounds):
            await score_all(engine, setup.fresh_work())
            peak = torch.cuda.max_memory_allocated() if is_card else peak_memory_bytes()
            peaks.append((peak - before) / 2**30)
    where = "of the card" if is_card else "of the process, other benchmarks included"
    return Outcome((over_rounds(f"peak memory {where}", peaks, "GiB"),), setup.note)


def _cut(request: PairRequest, tag: str) -> PairRequest:
    return replace(
        request,
        job_description=(tag + request.job_description)[:JOB_CHARACTERS],
        resume=request.resume[:RESUME_CHARACTERS],
    )


def _shape(base: BaseModel) -> Shape:
    config: Any = base.model.config.get_text_config(decoder=True)
    return Shape(
        config.hidden_size,
        config.intermediate_size,
        config.num_hidden_layers,
        config.num_attention_heads,
        config.num_key_value_heads,
        config.head_dim,
    )


def _operations(engine: ScoringEngine, shape: Shape, requests: list[PairRequest]) -> int:
    """Returns what these pairs take with every job computed once; padding counts for nothing."""
    prompts = [engine._reader.read(r.job_description, r.resume).prompt for r in requests]
    prefixes = {prompt.prefix for prompt in prompts}
    jobs = sum(operations(shape, len(prefix)) for prefix in prefixes)
    return jobs + sum(operations(shape, len(p.suffix) + NUM_TREE_NODES, len(p.prefix)) for p in prompts)
