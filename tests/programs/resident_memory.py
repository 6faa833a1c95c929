"""How much memory a process holds now."""

import os
from pathlib import Path


def resident_bytes(process_id: int | None = None) -> int:
    """Returns the resident memory of a process, by default of this one."""
    pages = int(Path(f"/proc/{process_id or 'self'}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
