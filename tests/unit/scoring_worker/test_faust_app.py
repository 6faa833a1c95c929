import ssl

import pytest
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from faust.types import TP
from prometheus_client import CollectorRegistry

from services.events.kafka_client import client_options
from services.process.settings import load_settings
from services.scoring_worker.intake.faust_app import build_faust_app
from services.scoring_worker.metrics import WorkerMetrics


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
async def test_faust_logs_in_as_every_other_client_does(protocol: str) -> None:
    settings = load_settings(
        kafka_security_protocol=protocol, kafka_sasl_username="scorer", kafka_sasl_password="secret"
    )

    app = build_faust_app(settings, WorkerMetrics(CollectorRegistry()))

    ours = client_options(settings)
    fausts = dict(credentials_to_aiokafka_auth(app.conf.broker_credentials, None))
    assert [f"{url.host}:{url.port}" for url in app.conf.broker] == [ours.pop("bootstrap_servers")]
    assert isinstance(ours.pop("ssl_context", None), ssl.SSLContext) == (
        fausts.pop("ssl_context", None) is not None
    )
    assert fausts == ours


async def test_what_faust_commits_stands_in_the_metrics() -> None:
    metrics = WorkerMetrics(CollectorRegistry())
    app = build_faust_app(load_settings(), metrics)
    app.monitor.on_tp_commit({TP("recruiting.application.submitted.v1", 2): 7, TP("other", 0): 9})

    assert metrics.registry.get_sample_value("scoring_committed_offset", {"partition": "2"}) == 7
    assert metrics.registry.get_sample_value("scoring_committed_offset", {"partition": "0"}) is None


async def test_workers_share_the_folder_that_faust_insists_on_so_killed_ones_leave_none() -> None:
    first, second = (build_faust_app(load_settings(), WorkerMetrics(CollectorRegistry())) for _ in range(2))

    assert first.conf.datadir == second.conf.datadir
    assert first.conf.store.scheme == "memory"
