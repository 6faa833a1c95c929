"""Freed memory goes back to the system while a run is under way."""

import platform
from types import SimpleNamespace

import pytest

from tests.programs.resident_memory import resident_bytes
from training.learning.heap_trim import HeapTrim

BLOCK_BYTES, NUM_BLOCKS = 10_000, 20_000

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps freed memory so")


@pytest.mark.parametrize(("step", "is_returned"), [(19, False), (20, True)])
def test_every_twentieth_step_returns_what_was_freed(step: int, is_returned: bool) -> None:
    callback = HeapTrim()
    blocks = [bytes(BLOCK_BYTES) for _ in range(NUM_BLOCKS)]
    last = blocks[-1]  # above all others, so that freeing them alone does not shrink the heap
    del blocks
    before = resident_bytes()

    callback.on_step_end(None, SimpleNamespace(global_step=step), None)

    assert (before - resident_bytes() > 0.8 * BLOCK_BYTES * NUM_BLOCKS) is is_returned
    assert len(last) == BLOCK_BYTES
