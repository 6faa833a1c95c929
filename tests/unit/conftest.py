"""One thread a process for tests of small parts."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Where processes share the cores, threads of one wait for their turn behind those of the other.

    Training the tiny model takes twice as long then. For the whole session: sums depend on how many add them.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        import torch

        torch.set_num_threads(1)
