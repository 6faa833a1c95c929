"""``resume-scorer demo continuous``: from people's labels to a better adapter in every scorer, and back."""

import asyncio
import contextlib
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from services.cli.command_settings import load_command_settings
from services.devkit.child_processes import ChildProcesses
from services.devkit.local_services import (
    child_environment,
    embedded_broker,
    first_of,
    prepare_model,
    with_free_ports,
)

if TYPE_CHECKING:
    from services.process.settings import Settings

# What the demo decides itself, so that it neither needs nor touches what else runs on this machine.
_CHANGED = ("adapter_store", "trainer_dir", "trainer_min_new_labels")


@click.group()
def demo() -> None:
    """Shows what the parts do together, on this machine alone."""


@demo.command()
def continuous() -> None:
    """Labels come in, training starts by itself, the new adapter replaces the old one; then back.

    Everything is kept in a temporary folder and on a broker in memory. Ends with 0 only if all was seen.
    """
    settings = load_command_settings()
    prepare_model(settings)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="resume-scorer-demo-")))
        settings = stack.enter_context(embedded_broker(with_free_ports(_in_folder(settings, folder))))
        asyncio.run(_run(settings))


def _in_folder(settings: "Settings", folder: Path) -> "Settings":
    from services.devkit.continuous_demo import NUM_LABELS

    return settings.model_copy(
        update={
            "adapter_store": str(folder / "adapters"),
            "trainer_dir": folder / "trainer",
            "trainer_min_new_labels": min(settings.trainer_min_new_labels, NUM_LABELS),
        }
    )


async def _run(settings: "Settings") -> None:
    from services.devkit.continuous_demo import ContinuousDemo
    from services.events.kafka_client import create_topics
    from services.process.shutdown import stop_on_signals

    await create_topics(settings)
    children = ChildProcesses(child_environment(settings, _CHANGED))
    with stop_on_signals() as stop:
        try:
            for name in ("worker", "api", "trainer"):
                await children.start(name)
            await first_of(children.wait_for_failure(), stop.wait(), ContinuousDemo(settings).run())
            if stop.is_set():
                raise click.Abort
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await children.stop(settings.drain_seconds + 5)
