"""The quick tier of the fuzzing; ``python -m tests.fuzz`` is the long one."""

from collections.abc import Callable
from typing import Any

import hypothesis
import pytest

from tests.fuzz.targets import TARGETS

NUM_INPUTS = 150


@pytest.mark.parametrize("name", TARGETS)
def test_only_typed_errors_come_out(name: str) -> None:
    target: Callable[[], Any] = TARGETS[name]
    hypothesis.settings(
        max_examples=NUM_INPUTS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )(target)()
