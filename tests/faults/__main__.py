"""One fault at full size: python -m tests.faults NAME; prints its counts as JSON and ends with 1 if they are bad."""

import asyncio
import inspect
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.catalogue import FAULTS


def main() -> int:
    names = sys.argv[1:]
    if not names or set(names) - FAULTS.keys():
        for name, fault in FAULTS.items():
            print(f"{name:20} {(inspect.getdoc(fault) or '').splitlines()[0]}")
        return 2
    for name in names:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"fault-{name}-") as folder:
            try:
                counts = asyncio.run(FAULTS[name](Path(folder)))
            except (AssertionError, TimeoutError) as error:
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
                return 1
        print(json.dumps({"fault": name, **counts, "seconds": round(time.monotonic() - started, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
