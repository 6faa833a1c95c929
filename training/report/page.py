"""Renders a report's page: one look for all of them, nothing loaded from elsewhere."""

from collections.abc import Callable
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

_STYLE_FILE = "style.css.j2"


def render_page(template: str, shown: Callable[..., str], **content: object) -> str:
    """Returns the HTML of a template, with ``style`` filled in and all other content escaped.

    Args:
        shown: writes a figure for a reader; the template's filter of that name.
        content: what the template names; a missing one is an error.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = shown
    style = Markup(files(__package__).joinpath(_STYLE_FILE).read_text("utf-8"))  # noqa: S704 - our own file
    return environment.from_string(template).render(style=style, **content)
