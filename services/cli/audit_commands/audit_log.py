"""``resume-scorer audit-log``: whether the files of the audit log are as they were written."""

import sys
from pathlib import Path

import click

from services.process.audit_log import verify_file

#: Exit code where a chain is broken.
EXIT_BROKEN = 1


@click.group("audit-log")
def audit_log() -> None:
    """Looks after the files in which every score has its line."""


@audit_log.command()
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
def verify(files: tuple[Path, ...]) -> None:
    """Checks that each line follows the one before it; exit code 1 where one does not.

    A last line that a crash cut off is left out.
    """
    is_broken = False
    for file in files:
        try:
            print(f"{file}: {verify_file(file)} lines, chain whole")
        except ValueError as error:
            is_broken = True
            print(f"resume-scorer: {error}", file=sys.stderr)
    if is_broken:
        sys.exit(EXIT_BROKEN)
