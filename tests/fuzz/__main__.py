"""``python -m tests.fuzz``: many inputs to each target, and how many there were.

With ``--atheris TARGET`` libFuzzer chooses the inputs by the code that they reach (``pip install atheris``).
"""

import argparse
import sys
import time

import hypothesis

from tests.fuzz.targets import TARGETS


def main() -> int:
    """Fuzzes; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--inputs", type=int, default=105_000, help="inputs of all targets together (105,000)"
    )
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this one; may be repeated")
    parser.add_argument("--atheris", choices=TARGETS, help="fuzz this one with atheris, --inputs times")
    arguments = parser.parse_args()
    if arguments.atheris:
        return _fuzz_with_atheris(arguments.atheris, arguments.inputs)
    chosen = arguments.target or list(TARGETS)
    total = 0
    for name in chosen:
        started = time.monotonic()
        num_inputs = _fuzz(name, arguments.inputs // len(chosen))
        total += num_inputs
        print(
            f"{name:<18}{num_inputs:>8} inputs in {time.monotonic() - started:.0f} s, none failed", flush=True
        )
    print(f"{'together':<18}{total:>8} inputs")
    return 0


def _fuzz(name: str, num_inputs: int) -> int:
    target = TARGETS[name]
    inner = target.hypothesis.inner_test  # type: ignore[attr-defined]
    counted = 0

    def counting(*args: object, **kwargs: object) -> None:
        nonlocal counted
        counted += 1
        inner(*args, **kwargs)

    target.hypothesis.inner_test = counting  # type: ignore[attr-defined]
    # Hypothesis ends early once it has seen every input that it can think of, so it is asked again.
    while counted < num_inputs:
        before = counted
        hypothesis.settings(
            max_examples=num_inputs - counted,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )(target)()
        if counted == before:
            break
    return counted


def _fuzz_with_atheris(name: str, num_inputs: int) -> int:
    import atheris  # type: ignore[import-not-found]  # no dependency: its wheels are for few platforms

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-runs={num_inputs}"], TARGETS[name].hypothesis.fuzz_one_input)  # type: ignore[attr-defined]
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
