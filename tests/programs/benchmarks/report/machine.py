"""What a figure was measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("torch", "transformers", "bitsandbytes", "faust-streaming", "aiokafka", "grpcio")


def describe_machine() -> dict[str, str]:
    """Returns processor, cores, card if any, and versions; no names of hosts, users or paths."""
    import torch

    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        **({"card": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")
