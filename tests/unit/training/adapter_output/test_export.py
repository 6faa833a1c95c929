"""An exported adapter: whole, checked by its manifest, opened by peft, described by card and metadata."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from peft.utils import save_and_load
from transformers import AutoTokenizer

from services.adapters.adapter_folder import METADATA_FILE, WEIGHTS_FILE, read_adapter
from services.adapters.lora_options import CONFIG_FILE
from services.adapters.manifest import read_manifest, verify_manifest
from services.contracts.engine_settings import EngineSettings
from services.contracts.errors import AdapterIncompatible
from services.contracts.reading import PLAIN_RULES, PROMPT_VERSION, ReadingRules
from services.contracts.reference import NUM_BINS, PROMPT_TOKEN_EDGES, ReferenceFigures, bin_of
from services.contracts.scoring import PairRequest
from services.scoring.engine.factory import build_engine
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.identity.identity_masking import mask_identity
from services.scoring.reading.score_scale import find_score_tokens
from services.scoring.reading.text_encoder import TextEncoder
from tests.doubles.models import load_tiny, tiny_settings
from tests.unit.training.learnable_pairs import CONFIG, learnable_pairs
from training.adapter_output import export
from training.adapter_output.reference import measure_reference
from training.learning.fine_tuning import TrainingData, fine_tune

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def exported(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that was trained; tests work on copies of it."""
    config = dataclasses.replace(CONFIG, epochs=1, validation_share=0.5)
    data = TrainingData(learnable_pairs(), digest="d" * 64)
    return fine_tune(
        load_tiny(cache_dir), data, tmp_path_factory.mktemp("exported") / "adapter", config
    ).folder


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    return shutil.copytree(exported, tmp_path / "adapter")


@pytest.mark.slow
def test_peft_and_transformers_open_it(base: BaseModel, folder: Path) -> None:
    model = PeftModel.from_pretrained(base.model, str(folder))
    tokenizer = AutoTokenizer.from_pretrained(folder)

    lora = {name for name, _ in model.named_parameters() if "lora_B" in name}
    assert len(lora) == 2 * 7  # layers x modules
    assert any(parameter.any() for name, parameter in model.named_parameters() if name in lora)
    assert tokenizer.decode(tokenizer("A nurse", add_special_tokens=False)["input_ids"]) == "A nurse"


@pytest.mark.slow
def test_metadata_tell_how_it_was_made(base: BaseModel, folder: Path) -> None:
    metadata = json.loads((folder / METADATA_FILE).read_text("utf-8"))

    assert metadata["base_model_digest"] == base.digest
    assert metadata["prompt_version"] == PROMPT_VERSION
    assert metadata["data_digest"] == "d" * 64
    assert (metadata["seed"], metadata["config"]["rank"], metadata["num_pairs"]) == (0, 4, 6)
    assert metadata["metrics"]["num_pairs"] == 6
    assert metadata["history"]
    card = (folder / "README.md").read_text("utf-8")
    assert f"| mae | {metadata['metrics']['mae']:.3f} |" in card


@pytest.mark.slow
async def test_the_reference_holds_the_scores_and_lengths_that_a_scorer_gives_the_training_pairs(
    cache_dir: Path, base: BaseModel, tmp_path: Path
) -> None:
    # One resume is longer than scorers read with this adapter, one than training reads, one tells a name.
    pairs = learnable_pairs()
    for resume in ("yes " * 400, "yes " * 90, "Ada Example\nada@example.org\nShe says yes."):
        pairs.append(dataclasses.replace(pairs[0], pair=dataclasses.replace(pairs[0].pair, resume=resume)))
    config = dataclasses.replace(CONFIG, epochs=1, max_resume_tokens=128, max_prompt_tokens=144)
    folder = fine_tune(base, TrainingData(pairs), tmp_path / "adapter", config).folder

    spec = tiny_settings(cache_dir, base.name)
    engine = build_engine(EngineSettings.of(spec, folder, mask_identity=True))
    engine.start()
    requests = [PairRequest("", pair.pair.job_description, pair.pair.resume) for pair in pairs]
    scores = [await engine.score(request) for request in requests]
    engine.close()
    expected_scores, expected_lengths = [0] * NUM_BINS, [0] * NUM_BINS
    for score in scores:
        expected_scores[min(int(score.score // 10), 9)] += 1
        expected_lengths[bin_of(score.num_prompt_tokens, PROMPT_TOKEN_EDGES)] += 1
    reference = read_adapter(folder).reference
    encode = TextEncoder(base.tokenizer).encode_outside
    assert reference == ReferenceFigures(
        tuple(expected_scores),
        tuple(expected_lengths),
        shortest_job_tokens=min(len(encode(pair.pair.job_description)) for pair in pairs),
        shortest_resume_tokens=min(len(encode(mask_identity(pair.pair.resume))) for pair in pairs),
    )
    assert sum(reference.score) == len(pairs) == sum(reference.prompt_tokens)
    assert {score.num_truncated_tokens for score in scores} == {0, len(encode("yes " * 400)) - 128}
    assert read_adapter(folder).rules == ReadingRules(max_resume_tokens=128)


def test_the_reference_is_a_sample_of_the_size_asked_for_and_the_same_for_the_same_seed(
    base: BaseModel,
) -> None:
    encoder = TextEncoder(base.tokenizer)
    model = ScoreModel(base, find_score_tokens(encoder))
    pairs = learnable_pairs()
    pairs = [
        dataclasses.replace(pair, pair=dataclasses.replace(pair.pair, resume="yes " * 40 * at))
        for at, pair in enumerate(pairs, start=1)
    ]

    samples = [measure_reference(model, encoder, pairs, PLAIN_RULES, 5, seed) for seed in (0, 0, 1, 2)]

    assert all(sample is not None and sum(sample.score) == 5 for sample in samples)
    assert samples[0] == samples[1]
    assert len(set(samples)) > 1
    assert measure_reference(model, encoder, pairs, PLAIN_RULES, 0, 0) is None


@pytest.mark.slow
def test_an_adapter_without_a_reference_is_read_as_before(folder: Path) -> None:
    expected = read_adapter(folder)
    metadata = json.loads((folder / METADATA_FILE).read_text("utf-8"))
    assert metadata.pop("reference")
    (folder / METADATA_FILE).write_text(json.dumps(metadata))

    assert read_adapter(folder) == dataclasses.replace(expected, reference=None)


@pytest.mark.slow
def test_the_manifest_covers_every_file_and_notices_a_changed_one(folder: Path) -> None:
    verify_manifest(folder)
    assert {WEIGHTS_FILE, "adapter_config.json", METADATA_FILE, "tokenizer.json", "README.md"} <= set(
        read_manifest(folder)
    )

    damaged = bytearray((folder / WEIGHTS_FILE).read_bytes())
    damaged[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(damaged)

    with pytest.raises(AdapterIncompatible, match=f"{WEIGHTS_FILE} differs"):
        verify_manifest(folder)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "missing"),
        ("{", "damaged"),
        ('{"format": 1, "files": 3}', "damaged"),
        ('{"format": 2, "files": {}}', "another format"),
        ('{"format": 1, "files": {"gone": {"sha256": "", "num_bytes": 0}}}', "gone is missing"),
        ('{"format": 1, "files": {"../x": {"sha256": "", "num_bytes": 0}}}', "is missing"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, content: str | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)

    with pytest.raises(AdapterIncompatible, match=complaint):
        verify_manifest(tmp_path)


@pytest.mark.slow
def test_a_crash_amid_the_export_leaves_no_half_adapter(
    base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "write_manifest", crash)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(base, TrainingData(learnable_pairs()), tmp_path, dataclasses.replace(CONFIG, epochs=0.1))

    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints"}


@pytest.mark.slow
def test_no_model_hub_is_asked(base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(save_and_load, "check_file_exists_on_hf_hub", lambda *names, **_: asked.append(names))

    fine_tune(base, TrainingData(learnable_pairs()), tmp_path, dataclasses.replace(CONFIG, epochs=0.1))

    assert asked == []


@pytest.mark.slow
def test_weights_of_a_bfloat16_model_are_stored_in_its_type(cache_dir: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    base = load_tiny(cache_dir, dtype="bfloat16")
    config = dataclasses.replace(CONFIG, epochs=0.1)

    folder = fine_tune(base, TrainingData(learnable_pairs()), tmp_path / "adapter", config).folder

    assert {tensor.dtype for tensor in load_file(folder / WEIGHTS_FILE).values()} == {torch.bfloat16}


@pytest.mark.slow
def test_no_path_of_this_machine_stands_in_it(exported: Path, folder: Path) -> None:
    config = json.loads((folder / CONFIG_FILE).read_text("utf-8"))

    assert config["base_model_name_or_path"] == "random:tiny-gemma-3"
    for place in (Path.home(), exported.parent):
        assert not any(str(place) in path.read_text("utf-8") for path in folder.glob("*.json"))
