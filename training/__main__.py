"""``python -m training --job job.json``: one training run as a process of its own."""

import sys
from pathlib import Path

import click

from services.contracts.errors import ScorerError


@click.command()
@click.option(
    "--job",
    "job_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON of {"data", "output", "validation"?, "initial_adapter"?, "held_out"?, "config"?}.',
)
def main(job_file: Path) -> None:
    """Trains an adapter as a job file says; run again, it goes on from the last checkpoint."""
    from services.process.settings import load_settings
    from training.job import load_job, run_job

    try:
        job = load_job(job_file)
        settings = load_settings()
        result = run_job(
            job,
            settings,
            lambda line: click.echo(line, err=True),
            max_prompt_tokens=settings.max_prompt_tokens,
        )
    except ScorerError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    click.echo(f"adapter: {result.folder}")


if __name__ == "__main__":
    main()
