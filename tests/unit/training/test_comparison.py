"""The comparison at the end of a run: figures of both adapters as scorers would have them, or none at all."""

import asyncio
import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from services.adapters.adapter_folder import WEIGHTS_FILE, read_adapter
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.errors import InvalidInput
from services.contracts.scoring import PairRequest
from services.contracts.training_run import COMPARISON_FILE
from services.scoring.engine.factory import build_engine
from services.scoring.model.score_model import ScoreModel
from tests.doubles.models import tiny_settings
from tests.unit.training.learnable_pairs import CONFIG, learnable_pairs
from training import job as job_file
from training.comparison import compare_adapters
from training.job import TrainingJob, run_job
from training.pairs.dataset import LabelledPair, read_labelled_pairs
from training.synthetic.generator import generate_pairs

# Libraries warn of their own next versions.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

CONFIG_FIELDS = {
    "rank": 4,
    "learning_rate": CONFIG.learning_rate,
    "epochs": 2,
    "batch_size": 4,
    "gradient_accumulation_steps": 1,
    "max_prompt_tokens": 256,
    "validation_share": 0.5,
    "tensorboard": False,
}


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def spec(cache_dir: Path) -> ModelSettings:
    return tiny_settings(cache_dir)


@pytest.fixture(scope="module")
def finished(spec: ModelSettings, tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    """A job that ran; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("finished")
    rows = [
        {"resume": pair.pair.resume, "job_description": pair.pair.job_description, "score": pair.score}
        for pair in learnable_pairs()
    ]
    jobs = ["We need a baker.", "We need a pilot."]  # interleaved, as labels arrive
    held_out = [{**row, "job_description": jobs[at % 2]} for at, row in enumerate(generate_pairs(6, seed=3))]
    job = TrainingJob(
        data=write_rows(folder / "data.jsonl", rows),
        output=folder / "adapter",
        held_out=write_rows(folder / "held_out.jsonl", held_out),
        config=CONFIG_FIELDS,
    )
    run_job(job, spec, lambda _: None)
    return job


@pytest.fixture
def job(finished: TrainingJob, tmp_path: Path) -> TrainingJob:
    shutil.copytree(finished.data.parent, tmp_path, dirs_exist_ok=True)
    return TrainingJob(
        data=tmp_path / "data.jsonl",
        output=tmp_path / "adapter",
        held_out=tmp_path / "held_out.jsonl",
        config=dict(CONFIG_FIELDS),
    )


def held_out_pairs(job: TrainingJob) -> list[LabelledPair]:
    assert job.held_out is not None
    return read_labelled_pairs(job.held_out)


def comparison_of(job: TrainingJob) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((job.output / COMPARISON_FILE).read_text("utf-8"))
    return content


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def refuse_to_train(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []

    def refuse(*_: object, **__: object) -> None:
        calls.append("trained")
        raise KeyboardInterrupt

    monkeypatch.setattr(job_file, "fine_tune", refuse)
    return calls


async def served_means(spec: ModelSettings, adapter: Path | None, pairs: list[LabelledPair]) -> list[float]:
    engine = build_engine(EngineSettings.of(spec, adapter, mask_identity=True))
    engine.start()
    requests = [PairRequest("", pair.pair.job_description, pair.pair.resume) for pair in pairs]
    scores = [await engine.score(request) for request in requests]
    engine.close()
    return [score.score for score in scores]


def test_a_run_compares_its_adapter_with_the_base_model_as_a_scorer_would(
    job: TrainingJob, spec: ModelSettings
) -> None:
    found = comparison_of(job)

    labels = [pair.score for pair in held_out_pairs(job)]
    assert (found["num_pairs"], found["num_left_out"]) == (6, 0)
    assert found["active"]["adapter_digest"] == "base"
    assert found["candidate"]["adapter_digest"] == read_adapter(job.output).digest
    for side, adapter in (("active", None), ("candidate", job.output)):
        served = asyncio.run(served_means(spec, adapter, held_out_pairs(job)))
        error = float(np.abs(np.array(served) - labels).mean())
        assert found[side]["mean_absolute_error"] == pytest.approx(error, abs=1e-12)
        assert found[side]["spearman"] == pytest.approx(spearmanr(labels, served).statistic)
        assert found[side]["negative_log_likelihood"] > 0
        assert found[side]["expected_calibration_error"] >= 0
        assert found[side]["name_change"] > 0  # a random model takes names for something
        assert found[side]["injection_rise"] != 0
    assert found["active"]["mean_absolute_error"] != found["candidate"]["mean_absolute_error"]


def test_a_run_that_goes_on_from_an_adapter_is_compared_with_it(
    job: TrainingJob, spec: ModelSettings, tmp_path: Path
) -> None:
    first = read_adapter(job.output).digest
    second = TrainingJob(job.data, tmp_path / "second", None, job.output, job.held_out, CONFIG_FIELDS)

    run_job(second, spec, lambda _: None)

    before, after = comparison_of(job)["candidate"], comparison_of(second)
    assert after["active"] == before
    assert after["active"]["adapter_digest"] == first
    assert after["candidate"]["adapter_digest"] == read_adapter(second.output).digest != first


def test_a_run_interrupted_behind_the_export_only_compares(
    job: TrainingJob, spec: ModelSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = comparison_of(job)
    progress = (job.output / "progress.json").read_text("utf-8")
    (job.output / COMPARISON_FILE).unlink()
    refuse_to_train(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(job_file, "compare_adapters", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_job(job, spec, lambda _: None)
    assert json.loads((job.output / "progress.json").read_text("utf-8"))["state"] == "FAILED"
    assert not (job.output / COMPARISON_FILE).exists()

    result = run_job(job, spec, lambda _: None)

    assert comparison_of(job) == expected
    assert (job.output / "progress.json").read_text("utf-8") == progress
    assert (result.num_steps, result.metrics["num_pairs"]) == (4, 6)


@pytest.mark.parametrize("what", ["data", "config", "weights"])
def test_an_export_of_another_run_or_a_damaged_one_is_not_taken_for_this_ones(
    job: TrainingJob, spec: ModelSettings, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    if what == "data":
        job.data.write_text(job.data.read_text().replace("yes", "ja"))
    elif what == "config":
        job.config["rank"] = 2
    else:
        (job.output / WEIGHTS_FILE).write_bytes(b"broken")
    calls = refuse_to_train(monkeypatch)

    with pytest.raises(KeyboardInterrupt):
        run_job(job, spec, lambda _: None)

    assert calls == ["trained"]
    assert not (job.output / COMPARISON_FILE).exists()


def test_pairs_that_cannot_be_read_are_left_out_and_counted(job: TrainingJob, spec: ModelSettings) -> None:
    pairs = held_out_pairs(job)
    unreadable = dataclasses.replace(pairs[0], pair=dataclasses.replace(pairs[0].pair, resume="Name: Ada"))
    more = [*pairs[:2], unreadable, *pairs[2:]]

    both = compare_adapters(
        spec,
        None,
        job.output,
        more,
        max_prompt_tokens=2048,
        is_identity_masked=True,
        progress=lambda _: None,
    )

    assert dataclasses.asdict(both) == comparison_of(job) | {"num_left_out": 1}
    with pytest.raises(InvalidInput, match="no pair that fits"):
        compare_adapters(
            spec,
            None,
            job.output,
            [unreadable],
            max_prompt_tokens=2048,
            is_identity_masked=True,
            progress=lambda _: None,
        )


def test_the_state_of_a_job_is_computed_once_for_each_adapter(
    job: TrainingJob, spec: ModelSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    compute = ScoreModel.compute_prefix

    def count(model: ScoreModel, tokens: Any) -> Any:
        computed.append(tuple(tokens))
        return compute(model, tokens)

    monkeypatch.setattr(ScoreModel, "compute_prefix", count)
    pairs = held_out_pairs(job)
    compare_adapters(
        spec,
        None,
        job.output,
        pairs,
        max_prompt_tokens=2048,
        is_identity_masked=True,
        progress=lambda _: None,
    )

    times = Counter(computed)
    assert set(times.values()) == {2}  # once for each adapter, however many resumes, names and attacks
    assert len(times) > 2
