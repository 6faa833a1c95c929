"""The training service on a broker: labels in, runs started, judged, published; training itself is faked."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.adapters.adapter_folder import read_adapter
from services.contracts.topics import ADAPTER_PUBLISHED, SCORE_LABELLED, dead_letter_topic
from services.devkit.embedded_broker import EmbeddedBroker
from services.events.kafka_client import create_topics
from services.process.settings import Settings
from services.rollout.administration import AdapterAdministration, open_store
from services.training_service.app import TrainerAlreadyRunning, run_trainer
from services.training_service.labels.label_store import Disagreement, TrainingPair
from services.training_service.metrics import TrainerMetrics
from services.training_service.runs.run_store import Request, RunState
from tests.doubles.adapters import make_adapter
from tests.doubles.kafka_desk import KafkaDesk, kind_of
from tests.doubles.processes.fake_training import FIGURES
from tests.doubles.trainer import (
    TrainerDesk,
    fake_training,
    running_trainer,
    trainer_settings,
)

LABEL_DEAD_LETTERS = dead_letter_topic(SCORE_LABELLED)
ENOUGH = 20


@pytest.fixture
async def trainer(settings: Settings, desk: KafkaDesk, tmp_path: Path) -> AsyncIterator[TrainerDesk]:
    trainer = TrainerDesk(trainer_settings(settings, tmp_path), desk)
    yield trainer
    trainer.close()


@pytest.fixture(scope="session")
def adapters(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return [make_adapter(folder / str(seed), cache_dir, seed) for seed in range(2)]


def value_of(metrics: TrainerMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def reaches(
    trainer: TrainerDesk, metrics: TrainerMetrics, value: float, name: str, **labels: str
) -> None:
    """Waits until a metric has a value: what it counts is in the store before it is counted."""
    try:
        await trainer.until(lambda: value_of(metrics, name, **labels) == value)
    except TimeoutError:
        raise AssertionError(f"{name}{labels} is {value_of(metrics, name, **labels)}, not {value}") from None


async def test_labels_are_joined_with_what_was_posted_and_bad_ones_put_aside(
    trainer: TrainerDesk, desk: KafkaDesk
) -> None:
    async with running_trainer(trainer.settings) as metrics:
        await trainer.label("early", texts=False, score=40)
        await trainer.label("own", category="good")
        await trainer.label("own", "another", score=85)
        await trainer.label("never-seen", texts=False, score=1)
        await trainer.label("bad", score=90, category="poor")
        await trainer.label("bad")
        await trainer.counts(lambda counts: counts.num_usable + counts.num_waiting == 4)
        await desk.apply("early", "job")
        await desk.post_job("job", "Build it.")
        counts = await trainer.counts(lambda counts: counts.num_usable == 3)

        assert (counts.num_new, counts.num_waiting) == (3, 1)
        assert {kind_of(letter) for letter in await desk.dead_letters(2, LABEL_DEAD_LETTERS)} == {
            "invalid_input",
            "field_limits",
        }
        await reaches(trainer, metrics, 4, "finetuning_labels_total", outcome="new")
        await reaches(trainer, metrics, 2, "finetuning_labels_total", outcome="rejected")
        await reaches(trainer, metrics, 1, "scoring_dead_letters_total", error_kind="invalid_input")
        await reaches(trainer, metrics, 10.0, "finetuning_rater_disagreement_points")
    assert trainer.labels.pairs([desk.name("early"), desk.name("own")]) == [
        TrainingPair("Knows Kafka", "Engineer\n\nBuild it.", 40.0),
        TrainingPair("Resume of own.", "A job.", 80.0),
    ]
    assert trainer.labels.disagreement() == Disagreement(10.0, 1)


async def test_a_restarted_trainer_goes_on_behind_what_it_has_read(trainer: TrainerDesk) -> None:
    async with running_trainer(trainer.settings) as metrics:
        await trainer.send_labels(7)
        await trainer.counts(lambda counts: counts.num_usable == 7)
        await trainer.until(lambda: sum(p.next_offset for p in trainer.labels.positions().values()) == 7)
    async with running_trainer(trainer.settings) as metrics:
        await trainer.send_labels(9)
        counts = await trainer.counts(lambda counts: counts.num_usable == 9)
        assert counts.num_new == 9
        await reaches(trainer, metrics, 2, "finetuning_labels_total", outcome="new")


async def test_a_broker_that_begins_anew_is_read_from_its_beginning(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.events.topic_follower.RECONNECT_SECONDS", 0.1)
    # More than before on the second one, so that the offsets alone do not tell them apart.
    for word, count, total in (("first", 5, 5), ("second", 12, 17), ("third", 1, 18)):
        with EmbeddedBroker() as broker:
            own = trainer_settings(settings, tmp_path, kafka_bootstrap_servers=broker.bootstrap_servers)
            own = own.model_copy(update={"kafka_num_partitions": 1})
            await create_topics(own)
            async with KafkaDesk(own) as desk:
                trainer = TrainerDesk(own, desk)
                await trainer.send_labels(count, word)
                async with running_trainer(own):
                    await trainer.counts(lambda counts, total=total: counts.num_usable == total)
                assert trainer.labels.counts().num_usable == total
                trainer.close()


async def test_enough_labels_train_publish_and_announce_while_labels_come_in(
    trainer: TrainerDesk, desk: KafkaDesk, adapters: list[Path], tmp_path: Path
) -> None:
    go = tmp_path / "go"
    async with running_trainer(
        trainer.settings, fake_training(adapters[0], "--wait-for", str(go))
    ) as metrics:
        await trainer.send_labels(ENOUGH)
        await trainer.until(lambda: (trainer.folder(1) / "starts").exists())
        await trainer.send_labels(3, "meanwhile")
        counts = await trainer.counts(lambda counts: counts.num_usable == ENOUGH + 3)
        assert counts.num_new == 3
        await reaches(trainer, metrics, 1, "finetuning_running_jobs")
        job = json.loads((trainer.folder(1) / "job.json").read_text())
        assert (job["config"]["learning_rate"], job["config"]["epochs"]) == (1e-5, 1.0)
        data = Path(job["data"]).read_text()
        assert "Resume of a-" in data
        assert "meanwhile" not in data

        go.touch()
        run = await trainer.ended_run(1)
        await reaches(trainer, metrics, 0, "finetuning_running_jobs")

        assert (run.state, run.trigger, run.num_attempts) == (RunState.PUBLISHED, "new_labels", 1)
        await reaches(trainer, metrics, 1, "finetuning_jobs_total", outcome="published")
        await reaches(trainer, metrics, 1, "finetuning_gate_verdicts_total", verdict="passed")
        await trainer.until(lambda: not Path(job["data"]).exists())  # no text of a person stays
    stored = open_store(trainer.settings).find(run.message)
    assert stored.adapter_digest == read_adapter(adapters[0]).digest
    assert stored.metrics == FIGURES | {"num_held_out_pairs": 30}
    assert await AdapterAdministration(trainer.settings).active_version() == stored.version
    announced = await KafkaDesk.read(named(desk, trainer.settings.adapter_name), ADAPTER_PUBLISHED, bool)
    assert json.loads(announced[-1].value)["version"] == stored.version
    assert len(trainer.runs.latest(10)) == 1


def named(desk: KafkaDesk, prefix: str) -> KafkaDesk:
    other = KafkaDesk(desk.settings)
    other.prefix = prefix
    return other


async def test_the_next_run_starts_from_the_published_adapter(
    trainer: TrainerDesk, adapters: list[Path]
) -> None:
    for run_id, adapter in enumerate(adapters, start=1):
        async with running_trainer(trainer.settings, fake_training(adapter)):
            await trainer.send_labels(ENOUGH, f"set-{run_id}")
            assert (await trainer.ended_run(run_id)).state is RunState.PUBLISHED
    job = json.loads((trainer.folder(2) / "job.json").read_text())
    assert read_adapter(Path(job["initial_adapter"])).digest == read_adapter(adapters[0]).digest
    first, second = reversed(trainer.runs.latest(2))
    assert (first.initial_version, second.initial_version) == ("", first.message)


async def test_a_worse_candidate_is_kept_with_its_reason_and_not_published(
    trainer: TrainerDesk, adapters: list[Path], tmp_path: Path
) -> None:
    digest = read_adapter(adapters[0]).digest
    worse = FIGURES | {"adapter_digest": digest, "mean_absolute_error": 10.6}
    active = FIGURES | {"adapter_digest": "base"}
    comparison = {"num_pairs": 30, "num_left_out": 0, "active": active, "candidate": worse}
    (tmp_path / "comparison.json").write_text(json.dumps(comparison))
    command = fake_training(adapters[0], "--comparison", str(tmp_path / "comparison.json"))
    async with running_trainer(trainer.settings, command) as metrics:
        await trainer.send_labels(5)
        await trainer.counts(lambda counts: counts.num_usable == 5)
        trainer.runs.request(Request.TRAIN)
        run = await trainer.ended_run(1)
        await reaches(trainer, metrics, 1, "finetuning_gate_verdicts_total", verdict="rejected")

        num_learned = len(trainer.labels.fresh_applications(1))  # some are held out
        trainer.runs.request(Request.TRAIN)
        await trainer.ended_run(2)
        await reaches(trainer, metrics, num_learned, "finetuning_quarantined_labels")

    assert (run.state, run.trigger) == (RunState.REJECTED, "requested")
    gate = json.loads((trainer.folder(1) / "gate.json").read_text())
    assert gate["comparison"] == comparison
    assert (gate["is_passed"], gate["reasons"]) == (False, [run.message])
    assert "mean_absolute_error went from 10.000 to 10.600" in run.message
    assert read_adapter(trainer.folder(1) / "adapter").digest == digest
    assert open_store(trainer.settings).versions() == []


async def test_a_comparison_of_other_weights_proves_nothing(
    trainer: TrainerDesk, adapters: list[Path], tmp_path: Path
) -> None:
    other = FIGURES | {"adapter_digest": read_adapter(adapters[1]).digest}
    path = tmp_path / "comparison.json"
    path.write_text(json.dumps({"num_pairs": 30, "active": FIGURES, "candidate": other}))
    async with running_trainer(trainer.settings, fake_training(adapters[0], "--comparison", str(path))):
        trainer.runs.request(Request.TRAIN)
        assert (await trainer.ended_run(1)).state is RunState.FAILED
    assert open_store(trainer.settings).versions() == []


async def test_labels_of_a_failed_run_are_new_again_and_the_next_one_waits(
    trainer: TrainerDesk, adapters: list[Path]
) -> None:
    async with running_trainer(trainer.settings, fake_training(adapters[0], "--exit-code", "3")):
        await trainer.send_labels(ENOUGH)
        run = await trainer.ended_run(1)
        assert run.state is RunState.FAILED
        assert "exit code 3" in run.message
        assert trainer.labels.counts().num_new == ENOUGH
        await trainer.send_labels(ENOUGH, "more")
        await trainer.counts(lambda counts: counts.num_new == 2 * ENOUGH)
        await asyncio.sleep(2)  # two looks at the labels, which would start a run if it did not back off
        assert len(trainer.runs.latest(10)) == 1

    async with running_trainer(trainer.settings, fake_training(adapters[0])):
        trainer.runs.request(Request.TRAIN)
        assert (await trainer.ended_run(2)).state is RunState.PUBLISHED
    assert trainer.labels.counts().num_new == 0


@pytest.mark.parametrize(
    ("limit_seconds", "is_cancelled", "state"),
    [(1.0, False, RunState.FAILED), (60.0, True, RunState.CANCELLED)],
)
async def test_a_run_that_takes_too_long_or_is_not_wanted_is_ended(
    trainer: TrainerDesk,
    adapters: list[Path],
    tmp_path: Path,
    limit_seconds: float,
    is_cancelled: bool,
    state: RunState,
) -> None:
    settings = trainer.settings.model_copy(update={"trainer_run_limit_seconds": limit_seconds})
    command = fake_training(adapters[0], "--wait-for", str(tmp_path / "never"))
    async with running_trainer(settings, command) as metrics:
        trainer.runs.request(Request.TRAIN)
        await trainer.until(lambda: (trainer.folder(1) / "job.json").exists())
        if is_cancelled:
            trainer.runs.request(Request.CANCEL)
        assert (await trainer.ended_run(1)).state is state
        await reaches(trainer, metrics, 1, "finetuning_jobs_total", outcome=state.lower())


async def test_a_stopped_trainer_goes_on_with_its_run(
    trainer: TrainerDesk, adapters: list[Path], tmp_path: Path
) -> None:
    go = tmp_path / "go"
    command = fake_training(adapters[0], "--wait-for", str(go))
    async with running_trainer(trainer.settings, command):
        await trainer.send_labels(ENOUGH)
        await trainer.until(lambda: (trainer.folder(1) / "starts").exists())
    unfinished = trainer.runs.unfinished()
    assert unfinished is not None
    assert (unfinished.state, unfinished.num_attempts) == (RunState.RUNNING, 0)
    go.touch()
    async with running_trainer(trainer.settings, command):
        assert (await trainer.ended_run(1)).state is RunState.PUBLISHED
    assert (trainer.folder(1) / "starts").read_text().count("start") == 2


async def test_an_adapter_activated_during_the_run_is_not_replaced(
    trainer: TrainerDesk, adapters: list[Path], tmp_path: Path
) -> None:
    go = tmp_path / "go"
    async with running_trainer(trainer.settings, fake_training(adapters[0], "--wait-for", str(go))):
        trainer.runs.request(Request.TRAIN)
        await trainer.until(lambda: (trainer.folder(1) / "starts").exists())
        by_hand = await AdapterAdministration(trainer.settings).publish(adapters[1])
        go.touch()
        run = await trainer.ended_run(1)
    assert (run.state, run.message) == (RunState.FAILED, "the active adapter was changed during the run")
    assert await AdapterAdministration(trainer.settings).active_version() == by_hand.version


async def test_a_store_that_is_away_is_waited_for(
    trainer: TrainerDesk, adapters: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.training_service.runs.run_execution.RETRY_SECONDS", 0.1)
    (tmp_path / "store").write_text("a file where the folder should be")
    async with running_trainer(trainer.settings, fake_training(adapters[0])):
        trainer.runs.request(Request.TRAIN)
        await trainer.until(lambda: trainer.runs.unfinished() is not None)
        await asyncio.sleep(0.5)
        assert trainer.runs.unfinished() is not None
        (tmp_path / "store").unlink()
        assert (await trainer.ended_run(1)).state is RunState.PUBLISHED


async def test_a_second_trainer_in_the_same_folder_is_refused(trainer: TrainerDesk) -> None:
    async with running_trainer(trainer.settings):
        await trainer.send_labels(1)
        await trainer.counts(lambda counts: counts.num_usable == 1)  # so that it is not ended amid its start
        with pytest.raises(TrainerAlreadyRunning, match="another trainer works in"):
            await run_trainer(trainer.settings, TrainerMetrics(CollectorRegistry()), stop=asyncio.Event())
