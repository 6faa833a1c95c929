"""The quick tier of the fuzzing; ``python -m tests.programs.fuzz`` is the long one."""

from collections.abc import Callable
from typing import Any

import hypothesis
import pytest

from tests.programs.fuzz.mutations import SHARES, fuzz
from tests.programs.fuzz.targets import TARGETS

NUM_INPUTS = 60


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


@pytest.mark.parametrize("name", SHARES)
def test_changed_inputs_bring_out_only_typed_errors_too(name: str) -> None:
    fuzz(name, max(20, round(2000 * SHARES[name])), seed=1)
