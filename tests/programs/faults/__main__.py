"""Faults at full size: python -m tests.programs.faults [--without-model] NAME...

Prints the counts, and ends with 1 if they are bad. Without a model, workers answer at once and start fast.
"""

import asyncio
import inspect
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.programs.faults.catalogue import FAULTS

WITHOUT_MODEL = "--without-model"


def main() -> int:
    names = [each for each in sys.argv[1:] if each != WITHOUT_MODEL]
    if not names or set(names) - FAULTS.keys():
        for name, fault in FAULTS.items():
            print(f"{name:20} {(inspect.getdoc(fault) or '').splitlines()[0]}")
        return 2
    for name in names:
        started = time.monotonic()
        has_choice = "is_model_real" in inspect.signature(FAULTS[name]).parameters
        options = {"is_model_real": False} if has_choice and WITHOUT_MODEL in sys.argv else {}
        with tempfile.TemporaryDirectory(prefix=f"fault-{name}-") as folder:
            try:
                counts = asyncio.run(FAULTS[name](Path(folder), **options))
            except (AssertionError, TimeoutError) as error:
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
                return 1
        print(json.dumps({"fault": name, **counts, "seconds": round(time.monotonic() - started, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
