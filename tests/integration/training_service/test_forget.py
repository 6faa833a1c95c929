"""``resume-scorer forget`` beside a running trainer: texts go, tombstones come, nothing returns."""

import asyncio
from pathlib import Path

from click.testing import CliRunner

from services.cli.__main__ import cli
from services.contracts.scoring import PairRequest
from services.contracts.topics import APPLICATION_SCORED
from services.events.kafka_client import open_consumer
from services.events.wire.event_codec import encode_event
from services.events.wire.message_mapping import result_message
from services.process.settings import Settings
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.scorer import fake_score
from tests.doubles.trainer import TrainerDesk, running_trainer, trainer_settings

PAIR = PairRequest("a-9", "Job", "Resume")


async def test_forgetting_removes_texts_and_writes_tombstones(
    settings: Settings, desk: KafkaDesk, tmp_path: Path
) -> None:
    own = trainer_settings(settings, tmp_path)
    trainer = TrainerDesk(own, desk)
    variables = {
        "SCORER_KAFKA_BOOTSTRAP_SERVERS": own.kafka_bootstrap_servers,
        "SCORER_TRAINER_DIR": str(own.trainer_dir),
    }
    async with running_trainer(own):
        await trainer.send_labels(3)
        await trainer.counts(lambda counts: counts.num_usable == 3)

        done = await asyncio.to_thread(CliRunner().invoke, cli, ["forget", desk.name("a-1")], None, variables)

        assert done.exit_code == 0, done.output
        assert trainer.labels.counts().num_usable == 2
        await trainer.label("a-1", score=90)  # comes again
        await trainer.label("a-3", score=90)
        await desk.flush()
        await trainer.counts(lambda counts: counts.num_usable == 3)
        assert trainer.labels.pairs([desk.name("a-1")]) == []
    trainer.close()
    assert await tombstones(settings) == [desk.name("a-1").encode()]
    result = result_message(fake_score(PAIR), PAIR, "j")
    await desk.send(APPLICATION_SCORED, "x", encode_event(result))
    await desk.flush()
    watching = ["watch", "scores", "--from-beginning", "--count", "1"]
    watched = await asyncio.to_thread(CliRunner().invoke, cli, watching, None, variables)
    assert (watched.exit_code, watched.stdout.count("\n")) == (0, 1), "a tombstone ends no watch"


async def tombstones(settings: Settings) -> list[bytes]:
    async with open_consumer(settings, APPLICATION_SCORED) as consumer:
        record = await asyncio.wait_for(consumer.getone(), 20)
        assert record.value is None
        return [record.key]
