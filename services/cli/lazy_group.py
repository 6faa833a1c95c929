"""A group whose commands are imported when they are called, after the pattern in click's documentation."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Takes commands from a table, beside those that are added as usual.

    Attributes:
        table: for each command's name, where it stands (``module:attribute``), and what ``--help`` says of it
            without importing it: the first sentence of its own help.
    """

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns all names, sorted."""
        return sorted([*self.commands, *self.table])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns a command, imported now, or None where there is no such name."""
        if cmd_name not in self.table:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.table[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands as click does, with stand-ins for those of the table."""
        stand_ins = {name: click.Command(name, help=sentence) for name, (_, sentence) in self.table.items()}
        click.Group(commands={**self.commands, **stand_ins}).format_commands(ctx, formatter)
