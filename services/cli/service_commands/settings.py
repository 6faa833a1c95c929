"""``resume-scorer settings``: every setting, its value here and what it does."""

import json
from dataclasses import asdict

import click

from services.cli.command_settings import load_command_settings
from services.devkit import out
from services.process.settings import PREFIX
from services.process.settings.reference import all_settings, as_markdown, shown


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--markdown", is_flag=True, help="The page docs/settings.md, without the values of this machine."
)
def settings(as_json: bool, markdown: bool) -> None:
    """Shows every setting with its value here; passwords and tokens stay hidden."""
    if markdown:
        print(as_markdown(), end="")
        return
    loaded = load_command_settings()
    section = ""
    for each in all_settings():
        value = shown(getattr(loaded, each.variable.removeprefix(PREFIX).lower()))
        if as_json:
            print(json.dumps(asdict(each) | {"value": value}))
            continue
        if each.section != section:
            section = each.section
            out.print(f"\n{section}", style="bold", markup=False)
        mark = "*" if value != each.default else " "
        out.print(f"{mark} {each.variable}={value}", markup=False, soft_wrap=True)
        out.print(f"      {each.description}", style="dim", markup=False, soft_wrap=True)
    if not as_json:
        out.print("\n* differs from the default", style="dim")
