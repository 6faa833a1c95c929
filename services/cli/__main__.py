"""The ``resume-scorer`` command. Heavy imports stand inside the commands, so that this one is light."""

import logging
import os
import sys
from typing import NoReturn

import click

from services.cli.adapter_commands import adapters
from services.cli.audit_command import audit
from services.cli.audit_injection_command import audit_injection
from services.cli.bench_command import bench
from services.cli.dead_letter_commands import dead_letters
from services.cli.demo_command import demo
from services.cli.evaluate_command import evaluate
from services.cli.forget_command import forget
from services.cli.kafka_commands import publish, watch
from services.cli.model_commands import model
from services.cli.predict_command import predict
from services.cli.score_command import score
from services.cli.service_commands import api, broker, worker
from services.cli.train_command import train, tune
from services.cli.trainer_commands import trainer
from services.cli.up_command import up
from services.contracts.errors import ScorerError, SettingsInvalid

# Else a child between fork and exec (parent_death.py) runs gRPC's fork handlers, and may hang or abort there.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="resume-scorer")
def cli() -> None:
    """Scores how well resumes fit jobs. Settings come from SCORER_* environment variables and a TOML file."""


for command in (
    up,
    worker,
    api,
    trainer,
    broker,
    score,
    publish,
    watch,
    dead_letters,
    model,
    train,
    tune,
    predict,
    evaluate,
    adapters,
    demo,
    audit,
    audit_injection,
    bench,
    forget,
):
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
