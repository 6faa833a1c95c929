"""The hot swap on a tiny random Gemma 3: every score is that of the adapter whose digest it carries."""

import asyncio
import itertools
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

from services.adapters.adapter_folder import METADATA_FILE, read_adapter
from services.contracts.adapters import CANARY_TOLERANCE, Canary
from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.errors import AdapterIncompatible, EngineClosed
from services.contracts.reference import NUM_BINS, ReferenceFigures
from services.contracts.scoring import PairRequest
from services.scoring.engine.factory import assemble_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model import cpu_products
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.loading.families import TARGET_MODULES
from services.scoring.model.lora_layers import LoraFactors, LoraLayers, LoraMode, MergedWeight
from tests.doubles.models import load_tiny

JOBS = [f"Job {number}: we look for a nurse with {number} years of care." for number in range(3)]
RESUMES = [f"Nurse {number}. " + "Cared for patients. " * (number % 5) for number in range(8)]
PAIRS = [PairRequest(f"{job[:5]}/{r[:7]}", job, r) for job in JOBS for r in RESUMES]


@pytest.fixture(scope="module")
def folders(load_base: Callable[[], BaseModel], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two different adapters as peft writes them, and None of them alike."""
    made = []
    for seed, modules in ((1, TARGET_MODULES), (2, TARGET_MODULES[:4])):
        model = get_peft_model(load_base().model, LoraConfig(r=4, lora_alpha=6, target_modules=modules))
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
        made.append(tmp_path_factory.mktemp(f"adapter-{seed}"))
        model.save_pretrained(made[-1])
    return made


@pytest.fixture
def engine(load_base: Callable[[], BaseModel]) -> Iterator[ScoringEngine]:
    spec = EngineSettings.of(
        ModelSettings(base_model="random:tiny-gemma-3", model_cache_dir=Path()),
        batching_window_seconds=0,
        mask_identity=False,
    )
    engine = assemble_engine(load_base(), spec, SilentObserver())
    engine.start()
    yield engine
    assert engine.close(timeout_seconds=20)


@pytest.mark.parametrize("mode", ["merged", "factors"])
def test_the_layers_compute_what_peft_computes(
    load_base: Callable[[], BaseModel], folders: list[Path], mode: LoraMode
) -> None:
    tokens = torch.arange(20).reshape(1, 20) + 100
    for folder in folders:
        ours, theirs = load_base(), load_base()
        layers = LoraLayers(ours, mode)
        layers.activate(layers.load(read_adapter(folder)))
        peft = PeftModel.from_pretrained(theirs.model, str(folder)).eval()
        with torch.inference_mode():
            expected = peft(tokens).logits
            torch.testing.assert_close(ours.model(tokens).logits, expected, rtol=1e-4, atol=1e-4)
            layers.activate(None)
            plain = load_base().model(tokens).logits
            torch.testing.assert_close(ours.model(tokens).logits, plain, rtol=0, atol=0)
            assert (plain - expected).abs().max() > 0.01


@pytest.mark.skipif(
    not cpu_products.are_supported(torch.device("cpu"), torch.bfloat16),
    reason="this processor has no bfloat16 products",
)
def test_merged_bfloat16_weights_are_packed_and_compute_the_same(
    cache_dir: Path, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = torch.arange(20).reshape(1, 20) + 100
    found = []
    for is_supported in (True, False):
        monkeypatch.setattr(cpu_products, "are_supported", lambda *_, answer=is_supported: answer)
        base = load_tiny(cache_dir, dtype="bfloat16")
        layers = LoraLayers(base)
        weights = layers.load(read_adapter(folders[0]))
        layers.activate(weights)
        assert all(isinstance(each, MergedWeight) for each in weights.values())
        assert {each.weight.is_mkldnn for each in weights.values()} == {is_supported}  # type: ignore[union-attr]
        with torch.inference_mode():
            found.append(base.model(tokens).logits.float())
            layers.activate(None)
            plain = base.model(tokens).logits.float()
    # A processor may add up in another order: a few roundings to eight bits.
    assert (found[0] - found[1]).norm() < 0.02 * found[1].norm()
    assert (found[1] - plain).norm() > 0.2 * found[1].norm()


def test_layers_that_another_engine_left_active_are_taken_over(
    load_base: Callable[[], BaseModel], folders: list[Path]
) -> None:
    tokens, base = torch.arange(20).reshape(1, 20) + 100, load_base()
    with torch.inference_mode():
        plain = base.model(tokens).logits
        before = LoraLayers(base)
        before.activate(before.load(read_adapter(folders[0])))
        changed = base.model(tokens).logits
        layers = LoraLayers(base)
        layers.activate(None)
        torch.testing.assert_close(base.model(tokens).logits, plain, rtol=0, atol=0)
        layers.activate(layers.load(read_adapter(folders[0])))
        torch.testing.assert_close(base.model(tokens).logits, changed, rtol=0, atol=0)


def test_nothing_is_merged_into_four_bits(cache_dir: Path, folders: list[Path]) -> None:
    name = "random:tiny-gemma-3"
    quantised = load_tiny(cache_dir, name, quantization="nf4", dtype="auto")

    with pytest.raises(AdapterIncompatible, match="nf4"):
        LoraLayers(quantised, "merged")
    weights = LoraLayers(quantised).load(read_adapter(folders[0]))
    assert all(isinstance(each, LoraFactors) for each in weights.values())


async def test_scores_under_swaps_are_those_of_the_adapter_they_name(
    engine: ScoringEngine, load_base: Callable[[], BaseModel], folders: list[Path]
) -> None:
    offline: dict[tuple[str, str], float] = {}
    for folder in (None, *folders):
        spec = EngineSettings.of(
            ModelSettings(base_model="random:tiny-gemma-3", model_cache_dir=Path()),
            adapter=folder,
            mask_identity=False,
        )
        alone = assemble_engine(load_base(), spec, SilentObserver())
        alone.start()
        for pair in PAIRS:
            score = await alone.score(pair)
            offline[score.adapter_digest, pair.request_id] = score.score
        alone.close()

    answers = []
    is_over = False

    async def caller(number: int) -> None:
        for pair in itertools.cycle(PAIRS[number:] + PAIRS[:number]):
            if is_over:
                return
            answers.append(await engine.score(pair))

    callers = [asyncio.create_task(caller(number)) for number in range(8)]
    order = [folders[0], folders[1], None, folders[1], folders[0], None]
    for folder in itertools.islice(itertools.cycle(order), 20):
        before = len(answers)
        report = await engine.switch_adapter(folder)
        assert engine.active_adapter_digest == report.adapter_digest
        while len(answers) < before + 10:
            await asyncio.sleep(0.001)
    is_over = True
    await asyncio.gather(*callers)

    assert len({answer.adapter_digest for answer in answers}) == 3
    for answer in answers:
        # float32, one pair at a time: the same bits, whatever went on around it.
        assert answer.score == offline[answer.adapter_digest, answer.request_id]


async def test_canaries_that_agree_let_it_in(engine: ScoringEngine, folders: list[Path]) -> None:
    await engine.switch_adapter(folders[0])
    score = await engine.score(PAIRS[0])
    await engine.switch_adapter(None)

    canary = Canary(PAIRS[0].job_description, PAIRS[0].resume, score.score + CANARY_TOLERANCE / 2)
    report = await engine.switch_adapter(folders[0], "v7", [canary])

    assert report.max_canary_error == pytest.approx(CANARY_TOLERANCE / 2, abs=1e-6)
    assert report.previous_digest == "base"
    again = await engine.score(PAIRS[0])
    assert (again.adapter_version, again.score) == ("v7", score.score)


async def test_a_canary_that_is_off_keeps_the_active_adapter(
    engine: ScoringEngine, folders: list[Path]
) -> None:
    before = await engine.score(PAIRS[0])
    canary = Canary(PAIRS[0].job_description, PAIRS[0].resume, -20.0)

    with pytest.raises(AdapterIncompatible, match="canary's score is"):
        await engine.switch_adapter(folders[0], canaries=[canary])

    after = await engine.score(PAIRS[0])
    assert (after.adapter_digest, after.score) == ("base", before.score)


async def test_weights_that_overflow_are_refused_by_the_first_pair(
    engine: ScoringEngine, folders: list[Path], tmp_path: Path
) -> None:
    weights = load_file(folders[0] / "adapter_model.safetensors")
    save_file(
        {name: tensor * 1e25 for name, tensor in weights.items()}, tmp_path / "adapter_model.safetensors"
    )
    (tmp_path / "adapter_config.json").write_bytes((folders[0] / "adapter_config.json").read_bytes())

    with pytest.raises(AdapterIncompatible, match="not finite"):
        await engine.switch_adapter(tmp_path)

    assert (await engine.score(PAIRS[0])).adapter_digest == "base"


async def test_more_than_plain_lora_is_refused(
    engine: ScoringEngine, folders: list[Path], tmp_path: Path
) -> None:
    config = json.loads((folders[0] / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").write_text(json.dumps(config | {"use_dora": True}))
    (tmp_path / "adapter_model.safetensors").write_bytes(
        (folders[0] / "adapter_model.safetensors").read_bytes()
    )

    with pytest.raises(AdapterIncompatible, match="not use_dora"):
        await engine.switch_adapter(tmp_path)


async def test_an_explanation_ends_with_the_adapter_it_began_with(
    engine: ScoringEngine, folders: list[Path]
) -> None:
    await engine.switch_adapter(folders[0])
    score = await engine.score(PAIRS[0])
    alone = [piece async for piece in engine.explain(PAIRS[0], score, 24)]

    pieces = []
    async for piece in engine.explain(PAIRS[0], score, 24):
        if not pieces:
            await engine.switch_adapter(folders[1])
        pieces.append(piece)

    assert "".join(pieces) == "".join(alone)
    assert engine.active_adapter_digest == read_adapter(folders[1]).digest


async def test_a_closed_engine_changes_nothing(engine: ScoringEngine, folders: list[Path]) -> None:
    engine.close()

    with pytest.raises(EngineClosed):
        await engine.switch_adapter(folders[0])


class Listener(SilentObserver):
    """Sorts the scores it is told by the adapter that was active then."""

    def __init__(self) -> None:
        self.references: list[tuple[str, ReferenceFigures | None]] = []
        self.scores: dict[str, list[tuple[float, int]]] = defaultdict(list)

    def on_adapter(
        self, digest: str, version: str, base_model: str, reference: ReferenceFigures | None = None
    ) -> None:
        self.references.append((digest, reference))

    def on_score(self, score: float, num_prompt_tokens: int) -> None:
        self.scores[self.references[-1][0]].append((score, num_prompt_tokens))


async def test_the_observer_is_told_each_score_after_the_reference_of_its_adapter(
    load_base: Callable[[], BaseModel], folders: list[Path], tmp_path: Path
) -> None:
    reference = ReferenceFigures((20,) * NUM_BINS, tuple(range(NUM_BINS)))
    with_reference = Path(shutil.copytree(folders[0], tmp_path / "with-reference"))
    (with_reference / METADATA_FILE).write_text(json.dumps({"reference": reference.to_json()}))
    listener = Listener()
    spec = EngineSettings.of(
        ModelSettings(base_model="random:tiny-gemma-3", model_cache_dir=Path()),
        batching_window_seconds=0,
        mask_identity=False,
    )
    engine = assemble_engine(load_base(), spec, listener)
    engine.start()

    async def switch() -> None:
        await engine.switch_adapter(with_reference)
        await engine.switch_adapter(folders[1])

    scores, _ = await asyncio.gather(asyncio.gather(*map(engine.score, PAIRS)), switch())
    scores += [await engine.score(PAIRS[0])]
    engine.close(timeout_seconds=20)

    digests = [read_adapter(folder).digest for folder in (with_reference, folders[1])]
    assert listener.references == [("base", None), (digests[0], reference), (digests[1], None)]
    told = {digest: sorted(pairs) for digest, pairs in listener.scores.items()}
    expected: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for score in scores:
        expected[score.adapter_digest].append((score.score, score.num_prompt_tokens))
    assert told == {digest: sorted(pairs) for digest, pairs in expected.items()}
