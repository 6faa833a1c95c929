"""``resume-scorer adapters``: what is stored, what is active, and how to change it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from services.adapters.store import StoredAdapter
from services.cli.command_settings import load_command_settings
from services.cli.lazy_group import LazyGroup
from services.devkit import out, say
from services.rollout import AdapterAdministration

# The others start without torch.
_LAZY = {
    "average": (
        "services.cli.training_commands.average:average",
        "Writes the mean of adapters that have gone on from one and the same.",
    )
}


@click.group(cls=LazyGroup, table=_LAZY)
def adapters() -> None:
    """Lists, publishes, activates and rolls back adapters; running scorers follow by themselves."""


@adapters.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_versions(as_json: bool) -> None:
    """Lists the stored versions, newest first."""

    async def read() -> tuple[list[StoredAdapter], str | None]:
        administration = _administration()
        return await administration.versions(), await administration.active_version()

    versions, active = asyncio.run(read())
    for stored in versions:
        if as_json:
            print(json.dumps(_plain(stored) | {"is_active": stored.version == active}))
        else:
            mark = "*" if stored.version == active else " "
            figures = "  ".join(f"{name} {value:.3g}" for name, value in stored.metrics.items())
            out.print(
                f"{mark} {stored.version}  {stored.adapter_digest[:12]}  {stored.base_model}  {figures}"
            )
    if not as_json and active is None:
        say("none is activated: scorers use the adapter of SCORER_ADAPTER")


@adapters.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def publish(folder: Path) -> None:
    """Stores an adapter's folder as a version and activates it."""
    stored = asyncio.run(_administration().publish(folder))
    say(f"published and announced {stored.version}")


@adapters.command()
@click.argument("version")
def activate(version: str) -> None:
    """Announces a stored version."""
    stored = asyncio.run(_administration().activate(version))
    say(f"announced {stored.version}")


@adapters.command()
def rollback() -> None:
    """Announces the version that was active before."""
    stored = asyncio.run(_administration().rollback())
    say(f"announced {stored.version}" if stored else "scorers go back to the adapter of SCORER_ADAPTER")


def _administration() -> AdapterAdministration:
    return AdapterAdministration(load_command_settings())


def _plain(stored: StoredAdapter) -> dict[str, Any]:
    return {
        "version": stored.version,
        "adapter_digest": stored.adapter_digest,
        "manifest_digest": stored.manifest_digest,
        "base_model": stored.base_model,
        "prompt_version": stored.prompt_version,
        "published_at": stored.published_at.isoformat(),
        "store_uri": stored.uri,
        "metrics": stored.metrics,
    }
