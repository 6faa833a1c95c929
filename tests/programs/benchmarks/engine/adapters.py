"""What an adapter costs: each batch, and the moment in which it changes."""

import asyncio

from services.scoring.engine.scoring_engine import ScoringEngine
from tests.programs.benchmarks.report.figures import Outcome, over_rounds
from tests.programs.benchmarks.rig.rounds import Way, compare
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_all

LEAST_WITH_LORA, LEAST_WITH_LORA_ON_A_CARD = 0.90, 0.95
MOST_PAUSE_MILLISECONDS = 50
NUM_SWITCHES = 5  # a round
NO_ADAPTER = Outcome(note="not measured: no adapter is set")


async def lora(setup: Setup) -> Outcome:
    """Compares the adapter as it is served, and with its two products beside each layer, with no adapter."""
    if setup.adapter is None:
        return NO_ADAPTER
    with (
        running(setup.base(), setup.engine_spec(adapter="none")) as none,
        running(setup.base(), setup.engine_spec()) as served,
        running(setup.base(), setup.engine_spec(lora_mode="factors")) as beside,
    ):

        def way(engine: ScoringEngine) -> Way:
            async def score() -> int:
                return len(await score_all(engine, setup.fresh_work()))

            return score

        ways = {"no adapter": way(none), "LoRA as served": way(served), "LoRA unmerged": way(beside)}
        found = await compare("no adapter", ways, setup.num_rounds)
        is_card = served._scorer.model.device.type == "cuda"
    mark = LEAST_WITH_LORA_ON_A_CARD if is_card else LEAST_WITH_LORA
    return Outcome(found.figures({"LoRA as served": mark, "LoRA unmerged": None}), setup.note)


async def adapter_switch(setup: Setup) -> Outcome:
    """Changes the adapter to and fro while pairs are scored; the pause is the model thread's own."""
    folder = setup.adapter
    if folder is None:
        return NO_ADAPTER
    pauses = []
    with running(setup.base(), setup.engine_spec()) as engine:
        for _ in range(setup.num_rounds):
            scored = asyncio.gather(*map(engine.score, setup.fresh_work()))
            for number in range(NUM_SWITCHES):
                report = await engine.switch_adapter(folder if number % 2 else None, "bench")
                pauses.append(1000 * report.pause_seconds)
            await scored
    pause = over_rounds("pause of the model thread", pauses, "ms", at_most=MOST_PAUSE_MILLISECONDS)
    return Outcome((pause,), setup.note)
