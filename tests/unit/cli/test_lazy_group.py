"""Commands are imported when they are called, and what is said of them before is what they say themselves."""

import subprocess
import sys

import click
import pytest

from services.cli.__main__ import cli
from services.cli.lazy_group import LazyGroup
from services.cli.training_commands.adapters import adapters
from services.cli.training_commands.data import data

ENTRIES = [(group, name) for group in (cli, adapters, data) for name in group.table]
each_entry = pytest.mark.parametrize(("group", "name"), ENTRIES, ids=[name for _, name in ENTRIES])


def modules_of(*arguments: str) -> set[str]:
    """Returns what the command imports in a process of its own."""
    program = (
        "import sys; from services.cli.__main__ import cli; "
        f"cli.main({list(arguments)}, standalone_mode=False); print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    return set(ended.stderr.split())


def commands_among(modules: set[str]) -> set[str]:
    places = {target.partition(":")[0] for target, _ in cli.table.values()}
    return modules & places


@pytest.mark.slow
def test_help_imports_no_command_and_nothing_heavy() -> None:
    modules = modules_of("--help")

    assert commands_among(modules) == set()
    assert not modules & {"torch", "pydantic", "aiokafka", "grpc", "rich", "numpy", "sklearn", "matplotlib"}


@pytest.mark.slow
def test_a_command_is_imported_without_the_others() -> None:
    modules = modules_of("watch", "--help")

    assert commands_among(modules) == {"services.cli.event_commands.watch"}
    assert "torch" not in modules


@each_entry
def test_the_table_says_what_the_command_says(group: LazyGroup, name: str) -> None:
    command = group.get_command(click.Context(group), name)

    assert command is not None
    assert command.name == name
    for width in (30, 45, 200):
        stand_in = click.Command(name, help=group.table[name][1])
        assert stand_in.get_short_help_str(width) == command.get_short_help_str(width)


def test_a_group_lists_what_is_imported_and_what_is_not() -> None:
    @click.group(cls=LazyGroup, table={"late": ("none:none", "Comes late.")})
    def group() -> None: ...

    @group.command()
    def early() -> None:
        """Is there."""

    context = click.Context(group)
    assert group.list_commands(context) == ["early", "late"]
    assert group.get_command(context, "early") is early
    assert group.get_command(context, "never") is None
    assert "early  Is there.\n  late   Comes late." in group.get_help(context)
