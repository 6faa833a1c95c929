"""The engine against the fine-tuning guide's way.

The guide's way: the base in 4-bit, peft's LoRA unmerged, one ``generate`` of up to 64 tokens a pair, the
score by regular expression.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from services.contracts.engine_settings import EngineSettings
from services.contracts.scoring import PairRequest
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.reading.prompt import PromptBuilder
from services.scoring.reading.text_encoder import TextEncoder
from tests.programs.benchmarks.report.figures import Outcome
from tests.programs.benchmarks.rig.rounds import compare
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_all

NUM_PAIRS = 2  # a minute a round already
NEW_TOKENS = 64
LEAST_TIMES = 30
_SCORE = re.compile(r"\d{1,3}")


async def guide(setup: Setup) -> Outcome:
    """Compares the engine as it is served with ``generate`` in the same rounds."""
    slow = setup.base("nf4")
    if setup.adapter is not None:
        from peft import PeftModel

        slow = replace(slow, model=PeftModel.from_pretrained(slow.model, str(setup.adapter)).eval())
    with running(setup.base(), setup.engine_spec()) as engine:

        async def generate() -> int:
            return _generate(slow, setup.spec, setup.fresh_work()[:NUM_PAIRS])

        async def score() -> int:
            return len(await score_all(engine, setup.fresh_work()))

        ways: dict[str, Callable[[], Awaitable[int]]] = {"the guide's way": generate, "engine": score}
        found = await compare("the guide's way", ways, setup.num_rounds)
    return Outcome(found.figures({"engine": LEAST_TIMES}))


def _generate(slow: BaseModel, spec: EngineSettings, requests: list[PairRequest]) -> int:
    import torch

    encoder = TextEncoder(slow.tokenizer)
    prompts = PromptBuilder(encoder, spec.max_prompt_tokens)
    for request in requests:
        prompt = prompts.build(request.job_description, request.resume)
        tokens = torch.tensor([[*prompt.prefix, *prompt.suffix]], device=slow.model.device)
        with torch.inference_mode():
            written = slow.model.generate(
                input_ids=tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=NEW_TOKENS,
                do_sample=False,
            )
        _SCORE.search(encoder.decode(written[0, tokens.shape[1] :].tolist()))
    return len(requests)
