"""Ends child processes with their parent, however that one ends."""

import ctypes
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(sent: signal.Signals) -> Callable[[], None] | None:
    """Returns what a child runs between fork and exec so that it gets a signal when its parent ends.

    The kernel watches the thread that forks, so fork from one that lives as long as the child should.

    Returns:
        A ``preexec_fn``, or None on systems other than Linux, which cannot do this.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: the child must not allocate

    def set_death_signal() -> None:
        prctl(PR_SET_PDEATHSIG, int(sent))

    return set_death_signal
