"""The engine against the fine-tuning guide's way, with and without LoRA, its padding and its waits.

The guide's way: the base in 4-bit, peft's LoRA unmerged, one ``generate`` of up to 64 tokens a pair, the
score by regular expression.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.cli.engine_benchmark import (
    TokenCounter,
    as_new_jobs,
    pairs_per_second,
    waits_alone,
    waits_under_load,
)
from services.contracts.engine_observer import SilentObserver
from services.contracts.scoring import PairRequest
from services.scoring.base_model import BaseModel, load_base_model
from services.scoring.engine import ScoringEngine
from services.scoring.engine_factory import EngineSpec, assemble_engine
from services.scoring.prompt import PromptBuilder
from services.scoring.text_encoder import TextEncoder
from tests import work_set
from tests.benchmarks.main_path import fresh_work, score_all
from tests.benchmarks.rounds import Comparison, compare

NUM_GUIDE_PAIRS = 2
NUM_ROUNDS = 3
NEW_TOKENS = 64
NUM_MIXED = 96
NUM_LOADED = 100
LOAD_SHARE = 0.7
_SCORE = re.compile(r"\d{1,3}")


async def against_the_guide(base: BaseModel, spec: EngineSpec) -> Comparison:
    """Compares the engine, on pairs of eight jobs, with ``generate`` in the same rounds."""
    slow = load_base_model(replace(spec.base_model, quantization="nf4"))
    if spec.adapter is not None:
        from peft import PeftModel

        slow = replace(slow, model=PeftModel.from_pretrained(slow.model, str(spec.adapter)).eval())
    engine = assemble_engine(base, spec, SilentObserver())
    engine.start()

    async def generate() -> int:
        return _generate(slow, spec, fresh_work()[:NUM_GUIDE_PAIRS])

    try:
        ways: dict[str, Callable[[], Awaitable[int]]] = {"guide": generate, "engine": lambda: _all(engine)}
        return await compare("guide", ways, NUM_ROUNDS)
    finally:
        engine.close()


def _generate(slow: BaseModel, spec: EngineSpec, requests: list[PairRequest]) -> int:
    import torch

    encoder = TextEncoder(slow.tokenizer)
    prompts = PromptBuilder(encoder, spec.max_prompt_tokens)
    for request in requests:
        prompt = prompts.build(request.job_description, request.resume)
        tokens = torch.tensor([[*prompt.prefix, *prompt.suffix]])
        with torch.inference_mode():
            written = slow.model.generate(
                input_ids=tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=NEW_TOKENS,
                do_sample=False,
            )
        _SCORE.search(encoder.decode(written[0, tokens.shape[1] :].tolist()))
    return len(requests)


async def lora_against_none(base: BaseModel, spec: EngineSpec) -> Comparison:
    """Compares the same engine with its adapter and without."""
    with_adapter = assemble_engine(base, spec, SilentObserver())
    with_adapter.start()
    adapter = spec.adapter

    async def switched(folder: Path | None) -> int:
        await with_adapter.switch_adapter(folder, "bench")
        return await _all(with_adapter)

    try:
        return await compare(
            "no adapter",
            {"no adapter": lambda: switched(None), "LoRA": lambda: switched(adapter)},
            NUM_ROUNDS,
        )
    finally:
        with_adapter.close()


async def padding_share(base: BaseModel, spec: EngineSpec) -> float:
    """Returns the share of computed tokens that are padding, on resumes of 100 to 1,500 tokens."""
    counter = TokenCounter()
    engine = assemble_engine(base, spec, counter)
    engine.start()
    jobs = work_set.jobs(8)
    resumes = work_set.mixed_length_resumes(NUM_MIXED, seed=5)
    requests = [
        PairRequest(str(number), jobs[number % 8].description, resume)
        for number, resume in enumerate(resumes)
    ]
    counter.reset()
    try:
        await score_all(engine, requests)
    finally:
        engine.close()
    return counter.num_padding_tokens / counter.num_tokens


async def waits(base: BaseModel, spec: EngineSpec) -> dict[str, Any]:
    """Returns how long pairs wait at 70 % of the measured capacity, over one pair alone."""
    engine = assemble_engine(base, spec, SilentObserver())
    engine.start()
    requests = fresh_work()
    try:
        capacity = await pairs_per_second(engine, requests)
        alone = await waits_alone(engine, as_new_jobs(requests[:12], "alone"))
        loaded = await waits_under_load(
            engine, as_new_jobs(requests * 2, "load")[:NUM_LOADED], LOAD_SHARE * capacity
        )
    finally:
        engine.close()
    return {
        "alone_median_seconds": alone.median,
        "loaded_median_seconds": loaded.median,
        "loaded_percentile_99_seconds": loaded.percentile_99,
        "percentile_99_over_alone": loaded.percentile_99 / alone.median,
    }


async def _all(engine: ScoringEngine) -> int:
    return len(await score_all(engine, fresh_work()))
