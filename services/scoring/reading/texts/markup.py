"""Takes a text out of what it came wrapped in, so that the same words give the same score.

Applicant-tracking systems hand over what their extractors left: pages of HTML, RTF, a JSON resume, the text
operators or the glyph codes of a PDF. The model should read what a person would, and no more: what a page
hides (comments, scripts, styles) is not read. A text that is none of these stays as it is.
"""

import html
import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

from selectolax.lexbor import LexborHTMLParser
from striprtf.striprtf import rtf_to_text

from services.scoring.reading.texts.pdf_text import (
    has_glyph_codes,
    has_text_operators,
    text_of_glyph_codes,
    text_of_operators,
)


class Markup(StrEnum):
    """What a text came wrapped in."""

    NONE = ""
    HTML = "html"
    ENTITIES = "entities"
    RTF = "rtf"
    JSON = "json"
    PDF_OPERATORS = "pdf_operators"
    PDF_GLYPHS = "pdf_glyphs"


# Of elements that documents are made of; a single "<b>" or "<3" in plain text is left alone.
_HTML_TAG = re.compile(
    r"</?(?:html|head|body|div|span|p|br|ul|ol|li|table|tr|td|th|h[1-6]|b|i|u|em|strong|a|section|article"
    r"|header|footer|font|hr|img|main|style|script|title|meta|link)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_MIN_HTML_TAGS, _MAX_TAGS = 3, 20_000
# Where a reader sees the end of a line, and of a cell.
_BREAK = re.compile(
    r"<(?:br|hr|li)\b|</(?:p|div|li|tr|h[1-6]|table|ul|ol|section|article|header|footer)\s*>", re.IGNORECASE
)
_CELL_END = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_NOT_READ = ("script", "style", "head", "template", "noscript")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# "AT&T;" is no entity, and "&lt;" alone may be talk of HTML: these two kinds only come out of a page.
_SURE_ENTITY = re.compile(
    r"&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|nbsp|amp|quot|apos|bull|[nm]dash|[lr][sd]quo|middot);"
)

_RTF_START = re.compile(r"\s{0,100}\{\\rtf\d")

_MIN_JSON_STRINGS = 3
_MAX_JSON_DEPTH = 50
_MAX_FIELD_CHARACTERS = 80


def unwrap(text: str) -> tuple[str, Markup]:
    """Returns the text that a reader of the document would see, and what it came wrapped in."""
    for applies, read, kind in _READERS:
        if applies(text):
            inner = read(text)
            if inner.strip():
                return inner, kind
    if "&" in text and _SURE_ENTITY.search(text):
        return _ENTITY.sub(lambda found: html.unescape(found.group()), text), Markup.ENTITIES
    return text, Markup.NONE


def _is_html(text: str) -> bool:
    # Parsers take quadratic time for elements within elements; no page of a resume has so many.
    if not 0 < text.count("<") <= _MAX_TAGS:
        return False
    found = _HTML_TAG.finditer(text)
    return sum(1 for _ in zip(range(_MIN_HTML_TAGS), found, strict=False)) == _MIN_HTML_TAGS


def _from_html(text: str) -> str:
    lined = _CELL_END.sub(lambda found: f"\t{found.group()}", _BREAK.sub(_with_line_end, text))
    parser = LexborHTMLParser(lined)
    parser.strip_tags(list(_NOT_READ))
    root = parser.root
    return _BLANK_LINES.sub("\n\n", root.text(deep=True)) if root is not None else ""


def _with_line_end(found: re.Match[str]) -> str:
    return f"\n{found.group()}"


def _is_rtf(text: str) -> bool:
    return _RTF_START.match(text) is not None


def _from_rtf(text: str) -> str:
    return str(rtf_to_text(text, errors="replace"))


def _is_json(text: str) -> bool:
    bare = text.strip()
    return bare[:1] in ("{", "[") and bare[-1:] in ("}", "]") and '"' in bare


def _from_json(text: str) -> str:
    try:
        strings = list(_strings(json.loads(text), 0))
    except (ValueError, RecursionError):
        return ""
    return "\n".join(strings) if len(strings) >= _MIN_JSON_STRINGS else ""


def _strings(value: Any, depth: int) -> Iterator[str]:
    if depth > _MAX_JSON_DEPTH:
        return
    if isinstance(value, dict):
        # A record's values tell one thing together: a title, a company and its dates.
        plain = [str(each) for each in value.values() if isinstance(each, str | int | float)]
        fields = [each for each in plain if each.strip()]
        if fields:
            is_short = all(len(each) <= _MAX_FIELD_CHARACTERS for each in fields)
            yield (", " if is_short else "\n").join(fields)
        nested = [each for each in value.values() if isinstance(each, dict | list)]
    else:
        nested = value if isinstance(value, list) else []
        if isinstance(value, str) and value.strip():
            yield value
    for each in nested:
        yield from _strings(each, depth + 1)


_READERS: tuple[tuple[Callable[[str], bool], Callable[[str], str], Markup], ...] = (
    (_is_rtf, _from_rtf, Markup.RTF),
    (_is_json, _from_json, Markup.JSON),
    (_is_html, _from_html, Markup.HTML),
    (has_text_operators, text_of_operators, Markup.PDF_OPERATORS),
    (has_glyph_codes, text_of_glyph_codes, Markup.PDF_GLYPHS),
)
