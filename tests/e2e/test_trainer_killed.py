"""SIGKILL of the training service in intake, training and publishing: nothing lost, doubled or half done."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from services.adapters.adapter_folder import read_adapter
from services.contracts.topics import ADAPTER_PUBLISHED, SCORE_LABELLED, dead_letter_topic
from services.process.settings import Settings, variable_of
from services.rollout.administration import open_store
from services.training_service.runs.run_store import RunState
from tests.doubles.adapters import make_adapter
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.processes.forked import Forked
from tests.doubles.processes.trainer_runner import POINTS
from tests.doubles.trainer import TrainerDesk, trainer_settings

pytestmark = pytest.mark.slow

NUM_LABELS = 4000
NUM_KILLS = 3
ENOUGH = 30
# Loading torch and a model in a process of its own, on two slow and busy cores.
TRAINING_SECONDS = 150.0
CHANGED = (
    "base_model",
    "adapter",
    "adapter_name",
    "adapter_store",
    "kafka_bootstrap_servers",
    "trainer_dir",
    "trainer_metrics_port",
    "trainer_min_new_labels",
    "trainer_nice",
    "trainer_checkpoint_steps",
    "trainer_golden_set",
    "trainer_max_prompt_tokens",
)


@pytest.fixture
async def trainer(settings: Settings, desk: KafkaDesk, tmp_path: Path) -> AsyncIterator[TrainerDesk]:
    golden = tmp_path / "golden.jsonl"
    rows = (
        {"resume": f"Nurse, {n} years.", "job_description": "A nurse.", "score": 10 * n} for n in range(4)
    )
    golden.write_text("".join(json.dumps(row) + "\n" for row in rows))
    changes = {
        "trainer_golden_set": str(golden),
        "trainer_checkpoint_steps": 1,
        "trainer_min_new_labels": ENOUGH,
    }
    trainer = TrainerDesk(trainer_settings(settings, tmp_path, **changes), desk)
    yield trainer
    trainer.close()


@pytest.fixture(scope="module")
def adapter(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_adapter(tmp_path_factory.mktemp("adapters") / "made", cache_dir, seed=1)


@contextmanager
def process(settings: Settings, *command: str) -> Iterator[Forked]:
    chosen = {"dtype": "float32", "device": "cpu"} | {name: getattr(settings, name) for name in CHANGED}
    environment = os.environ | {variable_of(name): str(value) for name, value in chosen.items()}
    running = Forked(*command, environment=environment)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def runner(settings: Settings, point: str, adapter: Path) -> AbstractContextManager[Forked]:
    return process(settings, "tests.doubles.processes.trainer_runner", point, str(adapter))


async def test_no_label_is_lost_or_doubled_when_the_intake_is_killed(
    trainer: TrainerDesk, desk: KafkaDesk
) -> None:
    settings = trainer.settings.model_copy(update={"trainer_min_new_labels": 10 * NUM_LABELS})
    seen = []
    sending = asyncio.create_task(trainer.send_labels(NUM_LABELS))
    for kill in range(1, NUM_KILLS + 1):
        with process(settings, "services.cli", "trainer"):
            await trainer.counts(lambda counts, kill=kill: counts.num_usable > kill * NUM_LABELS / 8)
        seen.append(trainer.labels.counts().num_usable)
    await sending
    await trainer.label("bad")
    await trainer.label("a-0", "second", score=10)
    await trainer.label("a-1", score=99)
    with process(settings, "services.cli", "trainer"):
        await desk.dead_letters(1, dead_letter_topic(SCORE_LABELLED))
        await trainer.counts(lambda counts: counts.num_usable == NUM_LABELS + 1)
        await trainer.until(lambda: trainer.labels.pairs([desk.name("a-1")])[0].score == 99.0)

    assert 0 < seen[0] < NUM_LABELS
    assert seen == sorted(seen)
    counts = trainer.labels.counts()
    assert (counts.num_usable, counts.num_new, counts.num_waiting) == (NUM_LABELS + 1, NUM_LABELS + 1, 0)
    names = [f"a-{number}" for number in range(2, NUM_LABELS)]
    pairs = trainer.labels.pairs([desk.name(name) for name in names])
    assert [(pair.resume, pair.score) for pair in pairs] == [
        (f"Resume of {name}.", float(number % 101)) for number, name in enumerate(names, start=2)
    ]
    read = trainer.labels.positions()
    assert sum(p.next_offset for (topic, _), p in read.items() if topic == SCORE_LABELLED) == NUM_LABELS + 3


async def test_a_killed_training_goes_on_from_its_checkpoint_and_is_published(trainer: TrainerDesk) -> None:
    await trainer.send_labels(ENOUGH)
    with process(trainer.settings, "services.cli", "trainer") as running:
        checkpoints = trainer.folder(1) / "adapter" / "checkpoints"
        await trainer.until(
            lambda: any(checkpoints.glob("checkpoint-*/trainer_state.json")), TRAINING_SECONDS
        )
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        running.send_signal(signal.SIGKILL)
    assert children
    await trainer.until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    unfinished = trainer.runs.unfinished()
    assert unfinished is not None
    assert unfinished.state is RunState.RUNNING

    with process(trainer.settings, "services.cli", "trainer"):
        run = await trainer.ended_run(1, TRAINING_SECONDS)

    assert (run.state, run.num_attempts) == (RunState.PUBLISHED, 2), run.message
    told = (trainer.folder(1) / "training.log").read_text()
    second = told[told.rindex("training on ") :]
    assert "step 1/" in told
    assert "step 1/" not in second
    stored = open_store(trainer.settings).versions()
    assert [each.version for each in stored] == [run.message]
    store = open_store(trainer.settings)
    assert store.fetch(stored[0].uri, stored[0].manifest_digest, trainer.folder(2)).is_dir()
    counts = trainer.labels.counts()
    assert (counts.num_usable, counts.num_new) == (ENOUGH, 0)


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_any_point_the_adapter_is_published_whole_and_once(
    trainer: TrainerDesk, desk: KafkaDesk, point: str, adapter: Path, tmp_path: Path
) -> None:
    await trainer.send_labels(ENOUGH)
    with runner(trainer.settings, point, adapter) as killed:
        assert await asyncio.to_thread(killed.wait, 30) == -signal.SIGKILL
    if point == "before the manifest is written":
        assert open_store(trainer.settings).versions() == []

    with runner(trainer.settings, "", adapter):
        run = await trainer.ended_run(1)
    stored = open_store(trainer.settings).versions()

    assert (run.state, [each.version for each in stored]) == (RunState.PUBLISHED, [run.message])
    store = open_store(trainer.settings)
    assert store.fetch(stored[0].uri, stored[0].manifest_digest, tmp_path / "copies").is_dir()
    assert stored[0].adapter_digest == read_adapter(adapter).digest
    assert open_store(trainer.settings).activations() == [run.message]
    desk.prefix = trainer.settings.adapter_name
    announced = await desk.read(ADAPTER_PUBLISHED, bool, at_once=True)
    assert {json.loads(record.value)["version"] for record in announced} == {run.message}
    counts = trainer.labels.counts()
    assert (counts.num_usable, counts.num_new, len(trainer.runs.latest(10))) == (ENOUGH, 0, 1)
