"""The canaries of an adapter, as they lie in its folder."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from services.adapters.manifest import MALFORMED
from services.contracts.adapters import Canary
from services.contracts.errors import AdapterIncompatible

CANARIES_FILE = "canaries.json"
#: More would hold the switch up without telling more.
MAX_CANARIES = 32


def write_canaries(folder: Path, canaries: Sequence[Canary]) -> None:
    """Writes canaries into an adapter's folder."""
    rows = [asdict(canary) for canary in canaries]
    (folder / CANARIES_FILE).write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


def read_canaries(folder: Path) -> tuple[Canary, ...]:
    """Returns the canaries of an adapter.

    Raises:
        AdapterIncompatible: the file is missing or damaged, or holds none or too many.
    """
    path = folder / CANARIES_FILE
    if not path.is_file():
        raise AdapterIncompatible(f"adapter {folder.name}: {CANARIES_FILE} is missing")
    try:
        canaries = tuple(
            Canary(str(row["job_description"]), str(row["resume"]), float(row["score"]))
            for row in json.loads(path.read_text("utf-8"))
        )
    except MALFORMED as error:
        raise AdapterIncompatible(f"adapter {folder.name}: {CANARIES_FILE} is damaged") from error
    if not 0 < len(canaries) <= MAX_CANARIES:
        raise AdapterIncompatible(f"adapter {folder.name}: needs 1 to {MAX_CANARIES} canaries")
    return canaries
