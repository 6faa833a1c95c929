"""The ``resume-scorer`` command: of all commands it imports the one that is called."""

import logging
import os
import sys
from typing import NoReturn

import click

from services.cli.command_table import COMMANDS
from services.cli.lazy_group import LazyGroup
from services.contracts.errors import ScorerError, SettingsInvalid

# Else a child between fork and exec (parent_death.py) runs gRPC's fork handlers, and may hang or abort there.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="resume-scorer")
def cli() -> None:
    """Scores how well resumes fit jobs. Settings come from SCORER_* environment variables and a TOML file."""


def main() -> None:
    """Runs the command line; errors that have a name end in one line and an exit code."""
    # Libraries talk of their inner life on the root logger; services set up their own logging.
    logging.basicConfig(level=logging.ERROR)
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except ScorerError as error:
        _exit(error)
    except BaseExceptionGroup as group:
        ours = group.subgroup(ScorerError)
        if ours is None:
            raise
        _exit(_first_of(ours))
    sys.exit(code if isinstance(code, int) else 0)


def _first_of(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group


def _exit(error: BaseException) -> NoReturn:
    print(f"resume-scorer: {error}", file=sys.stderr)
    sys.exit(EXIT_USAGE if isinstance(error, SettingsInvalid) else EXIT_FAILURE)


if __name__ == "__main__":
    main()
