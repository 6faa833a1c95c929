"""What runs and measures the services on one machine: for commands, demonstrations and tests.

Here stands what is light. The programs that start or measure whole services are imported from their modules:
``up``, ``continuous_demo``, ``budget_benchmark``.
"""

from services.devkit.console import err, out, say
from services.devkit.embedded_broker import EmbeddedBroker
from services.devkit.process_memory import peak_memory_bytes
from services.devkit.samples import SamplePair, load_samples

__all__ = ["EmbeddedBroker", "SamplePair", "err", "load_samples", "out", "peak_memory_bytes", "say"]
