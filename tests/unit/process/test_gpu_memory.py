import sys
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from services.process.metrics.gpu_memory import GpuMemoryCollector


def registry_with(monkeypatch: pytest.MonkeyPatch, cuda: object) -> CollectorRegistry:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    registry = CollectorRegistry()
    registry.register(GpuMemoryCollector())
    return registry


def test_memory_of_every_device_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = SimpleNamespace(
        is_initialized=lambda: True, device_count=lambda: 2, mem_get_info=lambda device: (10 + device, 100)
    )

    registry = registry_with(monkeypatch, cuda)

    def value(device: str, state: str) -> float | None:
        return registry.get_sample_value("scoring_gpu_memory_bytes", {"device": device, "state": state})

    assert (value("0", "used"), value("0", "total")) == (90, 100)
    assert (value("1", "used"), value("1", "total")) == (89, 100)


def test_a_cuda_that_nobody_uses_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = registry_with(monkeypatch, SimpleNamespace(is_initialized=lambda: False))

    assert list(registry.collect()) == []
