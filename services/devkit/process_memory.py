"""How much memory this process has held."""

import resource
import sys


def peak_memory_bytes() -> int:
    """Returns the greatest resident size so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, Linux KiB
