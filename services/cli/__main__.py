"""The ``resume-scorer`` command. Heavy imports stand inside the commands, so that this one is light."""

import logging
import sys

import click

from services.cli.dataset_commands import evaluate, predict
from services.cli.kafka_commands import publish, watch
from services.cli.model_commands import model
from services.cli.score_command import score
from services.cli.service_commands import api, broker, worker
from services.cli.up_command import up
from services.contracts.errors import ScorerError, SettingsInvalid

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="resume-scorer")
def cli() -> None:
    """Scores how well resumes fit jobs. Settings come from SCORER_* environment variables and a TOML file."""


for command in (up, worker, api, broker, score, publish, watch, model, predict, evaluate):
    cli.add_command(command)


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
    except* SettingsInvalid as group:
        _exit(group, EXIT_USAGE)
    except* ScorerError as group:
        _exit(group, EXIT_FAILURE)
    sys.exit(code if isinstance(code, int) else 0)


def _exit(group: BaseExceptionGroup[ScorerError], code: int) -> None:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    print(f"resume-scorer: {error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
