"""One thread a process for tests of small parts."""

import os
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Where processes share the cores, threads of one wait for their turn behind those of the other.

    Training the tiny model takes twice as long then. Tests of whole services keep all cores: they wait a lot.
    """
    torch = sys.modules.get("torch")
    if torch is None or "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)
