"""What Prometheus and Kubernetes see of a trainer whose broker falls silent."""

import os
import signal
from pathlib import Path

from services.devkit.embedded_broker import EmbeddedBroker
from services.events.kafka_client import create_topics
from services.process.settings import load_settings
from tests.doubles.kafka_desk import KafkaDesk
from tests.doubles.ports import free_port
from tests.doubles.trainer import TrainerDesk, running_trainer, trainer_settings
from tests.doubles.waiting import until_status

NOTICE_SECONDS = 30.0
RECOVERY_SECONDS = 60.0


async def test_a_trainer_whose_broker_is_silent_says_so_and_recovers(tmp_path: Path) -> None:
    with EmbeddedBroker() as broker:
        port = free_port()
        base = load_settings(kafka_bootstrap_servers=broker.bootstrap_servers)
        settings = trainer_settings(base, tmp_path, trainer_metrics_port=port)
        assert broker._process is not None
        pid = broker._process.pid
        await create_topics(settings)
        async with KafkaDesk(settings) as desk, running_trainer(settings):
            trainer = TrainerDesk(settings, desk)
            await until_status(port, "/readyz", 200, RECOVERY_SECONDS)
            await trainer.send_labels(3)
            await trainer.counts(lambda counts: counts.num_usable == 3)

            os.kill(pid, signal.SIGSTOP)
            try:
                reasons = await until_status(port, "/readyz", 503, NOTICE_SECONDS)
                await until_status(port, "/livez", 200, NOTICE_SECONDS)  # a restart would not help
            finally:
                os.kill(pid, signal.SIGCONT)

            await until_status(port, "/readyz", 200, RECOVERY_SECONDS)
            await trainer.send_labels(2, "afterwards")
            await trainer.counts(lambda counts: counts.num_usable == 5)
            trainer.close()
    assert reasons["checks"] == {"consumer": "failing"}
