"""What every command writes to a person: progress on standard error, results on standard output."""

from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """Writes one line of progress."""
    err.print(line, style="dim", markup=False, soft_wrap=True)
