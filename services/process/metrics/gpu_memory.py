"""GPU memory as the driver sees it, once this process has a model on a GPU."""

import sys
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class GpuMemoryCollector(Collector):
    """Shows used and total memory of every visible CUDA device; nothing on a machine without one.

    Other processes on the same device count as used: they are what a swap or a batch runs out of memory by.
    """

    def describe(self) -> list[GaugeMetricFamily]:
        return [_family()]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        # Light processes never import torch, and asking a CUDA that nobody uses would create a context there.
        cuda: Any = getattr(sys.modules.get("torch"), "cuda", None)
        if not hasattr(cuda, "is_initialized") or not cuda.is_initialized():  # or half imported as yet
            return
        family = _family()
        for device in range(cuda.device_count()):
            num_free, num_total = cuda.mem_get_info(device)
            family.add_metric([str(device), "used"], num_total - num_free)
            family.add_metric([str(device), "total"], num_total)
        yield family


def _family() -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "scoring_gpu_memory_bytes",
        "Memory of a CUDA device: used by all processes together, and total.",
        labels=["device", "state"],
    )
