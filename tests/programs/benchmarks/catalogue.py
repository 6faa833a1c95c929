"""Which benchmarks there are, in the order in which they run."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.programs.benchmarks.behind_services import behind_services
from tests.programs.benchmarks.card import card_memory, card_rate
from tests.programs.benchmarks.cost.measurement import cost
from tests.programs.benchmarks.engine.adapters import adapter_switch, lora
from tests.programs.benchmarks.engine.batch_spread import batch_spread
from tests.programs.benchmarks.engine.growth import growth
from tests.programs.benchmarks.engine.interleaving import interleaving
from tests.programs.benchmarks.engine.padding import padding
from tests.programs.benchmarks.engine.prefix_cache import prefix_cache
from tests.programs.benchmarks.engine.quantization import quantization
from tests.programs.benchmarks.engine.waits import waits
from tests.programs.benchmarks.report.figures import Outcome
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rivals.beside_llama_cpp import llama_cpp
from tests.programs.benchmarks.rivals.guide import guide
from tests.programs.benchmarks.start import start
from tests.programs.benchmarks.training_run import training_run


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark.

    Attributes:
        name: to run it alone by.
        question: that it answers.
        run: measures.
        quantizations: in which weights it runs in turn; ``auto`` is what the settings say.
        model: that it measures, where it brings its own; None is that of the settings.
    """

    name: str
    question: str
    run: Callable[[Setup], Awaitable[Outcome]]
    quantizations: Sequence[Literal["auto", "none", "nf4"]] = ("auto",)
    model: str | None = None


_LORA = "What does LoRA cost, as it is served and unmerged?"
_SWITCH = "How long does the model thread stand still when the adapter changes?"
_NF4 = "How fast are 4-bit weights beside bfloat16 ones?"

#: With the model of the settings; ``make bench``.
BENCHMARKS = (
    Benchmark("start", "How long does the command take for one pair, and to be imported?", start),
    Benchmark(
        "growth",
        "Are 10,000 applications as fast, and in as much memory, as 100?",
        growth,
        model="random:tiny-gemma-3, bfloat16, cpu",
    ),
    Benchmark("services", "What do Kafka and gRPC cost around the engine?", behind_services),
    Benchmark("prefix", "What does it give to compute a job's part once?", prefix_cache),
    Benchmark("interleaving", "Is anything of that lost when applications arrive mixed?", interleaving),
    Benchmark("spread", "How far does a score move with its batch?", batch_spread),
    Benchmark("lora", _LORA, lora),
    Benchmark("switch", _SWITCH, adapter_switch),
    Benchmark("nf4", _NF4, quantization),
    Benchmark("padding", "How much of what is computed is padding?", padding),
    Benchmark("waits", "How long do callers wait at 70 % of the capacity?", waits),
    Benchmark("cost", "What do a token and a pass cost?", cost),
    Benchmark("guide", "How much faster than one generate a pair in 4-bit?", guide),
    Benchmark("llama-cpp", "How much faster than llama.cpp on the same GGUF?", llama_cpp),
    Benchmark("training", "How long does a whole training of 24 pairs take?", training_run),
)

#: With gemma-2-2b's shape on a card, or a tiny one on a CPU; ``make bench-gpu``.
CARD_BENCHMARKS = (
    Benchmark("rate", "How much of the card's own rate is used?", card_rate, ("none", "nf4")),
    Benchmark("nf4", _NF4, quantization, ("none",)),
    Benchmark("lora", _LORA, lora, ("none", "nf4")),
    Benchmark("switch", _SWITCH, adapter_switch, ("none", "nf4")),
    Benchmark("memory", "How much memory is in use at most?", card_memory, ("nf4",)),
)


def chosen(names: Sequence[str], benchmarks: Sequence[Benchmark]) -> list[Benchmark]:
    """Returns the benchmarks with these names in their own order; no names are all.

    Raises:
        ValueError: there is no such benchmark.
    """
    known = {benchmark.name for benchmark in benchmarks}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no benchmark {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [benchmark for benchmark in benchmarks if not names or benchmark.name in names]
