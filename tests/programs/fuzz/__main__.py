"""``python -m tests.programs.fuzz``: many inputs to each target, and how many there were.

Three engines: changes of valid inputs (fast, by default), Hypothesis (``--hypothesis``), and libFuzzer, which
chooses inputs by the code that they reach (``--atheris TARGET``, after ``pip install atheris``).
"""

import argparse
import sys
import time

import hypothesis

from tests.programs.fuzz.mutations import SHARES, fuzz
from tests.programs.fuzz.targets import TARGETS


def main() -> int:
    """Fuzzes; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.fuzz", description=__doc__)
    parser.add_argument(
        "--inputs", type=int, default=120_000, help="inputs of all targets together (120,000)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other changes (0)")
    parser.add_argument("--hypothesis", action="store_true", help="let Hypothesis choose the inputs")
    parser.add_argument("--atheris", choices=TARGETS, help="let atheris choose the inputs of this target")
    arguments = parser.parse_args()
    if arguments.atheris:
        return _fuzz_with_atheris(arguments.atheris, arguments.inputs)
    total = 0
    for name in TARGETS if arguments.hypothesis else SHARES:
        started = time.monotonic()
        if arguments.hypothesis:
            num_inputs = arguments.inputs // len(TARGETS)
            _fuzz_with_hypothesis(name, num_inputs)
        else:
            num_inputs = round(arguments.inputs * SHARES[name])
            fuzz(name, num_inputs, arguments.seed)
        total += num_inputs
        print(f"{name:<18}{num_inputs:>8} inputs in {time.monotonic() - started:.0f} s", flush=True)
    print(f"{'together':<18}{total:>8} inputs, only typed errors")
    return 0


def _fuzz_with_hypothesis(name: str, num_inputs: int) -> None:
    hypothesis.settings(
        max_examples=num_inputs,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )(TARGETS[name])()


def _fuzz_with_atheris(name: str, num_inputs: int) -> int:
    import atheris  # type: ignore[import-not-found]  # no dependency: its wheels are for few platforms

    atheris.instrument_all()  # else it does not see what code its inputs reach
    atheris.Setup([sys.argv[0], f"-runs={num_inputs}"], TARGETS[name].hypothesis.fuzz_one_input)  # type: ignore[attr-defined]
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
