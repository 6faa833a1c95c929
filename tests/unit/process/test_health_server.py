import socket

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from services.contracts.errors import SettingsInvalid
from services.contracts.outcomes import Entrypoint, Outcome
from services.process.health_server import HealthServer
from services.process.metrics.scoring import ScoringMetrics
from services.process.settings import Settings, load_settings


def serve(settings: Settings, registry: CollectorRegistry, is_ready: bool = True) -> HealthServer:
    checks = {"jobs": lambda: is_ready, "model": lambda: True}
    return HealthServer(settings, "worker_metrics_port", registry, live={}, ready=checks)


async def fetch(server: HealthServer, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def test_metrics_show_every_series_before_anything_happened() -> None:
    metrics = ScoringMetrics(CollectorRegistry())

    async with serve(load_settings(worker_metrics_port=0), metrics.registry) as server:
        status, text = await fetch(server, "/metrics")

    assert status == 200
    for entrypoint in Entrypoint:
        for outcome in Outcome:
            assert f'scoring_requests_total{{entrypoint="{entrypoint}",outcome="{outcome}"}} 0.0' in text
    assert "process_resident_memory_bytes" in text


async def test_a_failing_check_is_named() -> None:
    async with serve(load_settings(worker_metrics_port=0), CollectorRegistry(), is_ready=False) as server:
        ready = await fetch(server, "/readyz")
        live = await fetch(server, "/livez")

    assert ready == (503, '{"status": "failing", "checks": {"jobs": "failing", "model": "ok"}}')
    assert live[0] == 200


async def test_a_taken_port_is_left_if_nobody_asked_for_it_and_an_error_if_somebody_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        asked = load_settings(worker_metrics_port=port)
        with pytest.raises(SettingsInvalid, match="SCORER_WORKER_METRICS_PORT"):
            await serve(asked, CollectorRegistry()).__aenter__()

        monkeypatch.setattr(Settings.model_fields["worker_metrics_port"], "default", port)
        async with serve(asked, CollectorRegistry()) as server:
            assert server.port not in (0, port)


def test_the_adapter_info_names_only_the_active_adapter() -> None:
    metrics = ScoringMetrics(CollectorRegistry())

    metrics.on_adapter("a" * 64, "v1", "gemma")
    metrics.on_adapter("b" * 64, "v2", "gemma")

    (family,) = [each for each in metrics.registry.collect() if each.name == "scoring_adapter_info"]
    assert [sample.labels["adapter_version"] for sample in family.samples] == ["v2"]
