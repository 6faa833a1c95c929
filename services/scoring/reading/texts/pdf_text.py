"""Reads what careless extractors leave of a PDF: its text operators, or the numbers of its glyphs."""

import re
from collections.abc import Iterator

_BEGIN, _END = re.compile(r"(?<![A-Za-z])BT\s"), re.compile(r"(?<![A-Za-z])ET\b")
# ISO 32000-1, 9.4.3: strings shown by Tj, ' and ", arrays of strings and shifts by TJ; moves to a new line.
_SHOWN = re.compile(
    r"\((?P<text>(?:[^()\\]|\\.){0,500})\)\s{0,4}(?:Tj|'|\")|\[(?P<parts>[^\[\]]{0,2000})\]\s{0,4}TJ"
    r"|(?P<newline>T\*|T[dDm]\b)",
    re.DOTALL,
)
_PART = re.compile(r"\((?P<text>(?:[^()\\]|\\.){0,500})\)|(?P<shift>-?\d{1,6}(?:\.\d{1,6})?)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\n", "t": "\t"}
_WORD_SHIFT = -180.0  # thousandths of an em to the right: wider than any kerning, so a blank

_GLYPH = re.compile(r"\(cid:(\d{1,5})\)")
_MIN_GLYPHS = 8
# Fonts without a table of their own are numbered as ASCII is, or from the blank on, which is 3 there.
_GLYPH_SHIFTS = (0, 29)
_MIN_LETTER_SHARE = 0.6


def has_text_operators(text: str) -> bool:
    """Returns whether a text is made of a PDF's text operators."""
    return ("Tj" in text or "TJ" in text) and bool(_BEGIN.search(text)) and bool(_END.search(text))


def text_of_operators(text: str) -> str:
    """Returns the strings that text operators show, in their order."""
    lines, at = [], 0
    while (begin := _BEGIN.search(text, at)) and (end := _END.search(text, begin.end())):
        pieces: list[str] = []
        for shown in _SHOWN.finditer(text, begin.end(), end.start()):
            if shown["newline"]:
                pieces.append("\n")
            elif shown["text"] is not None:
                pieces.append(_plain(shown["text"]))
            else:
                pieces += _parts(shown["parts"])
        lines.append("".join(pieces).strip())
        at = end.end()
    return "\n".join(lines)


def has_glyph_codes(text: str) -> bool:
    """Returns whether glyphs stand in a text by their numbers."""
    found = _GLYPH.finditer(text)
    return "(cid:" in text and sum(1 for _ in zip(range(_MIN_GLYPHS), found, strict=False)) == _MIN_GLYPHS


def text_of_glyph_codes(text: str) -> str:
    """Returns the text whose glyphs are numbered in a usual way; nothing where none gives words."""
    codes = [int(code) for code in _GLYPH.findall(text)]
    for shift in _GLYPH_SHIFTS:
        read = [chr(code + shift) for code in codes]
        num_letters = sum(each.isascii() and each.isalpha() for each in read)
        if num_letters >= _MIN_LETTER_SHARE * len(read) and 0 < read.count(" ") < num_letters:
            glyphs = iter(read)
            return _GLYPH.sub(lambda _, glyphs=glyphs: next(glyphs), text)  # type: ignore[misc]
    return ""


def _parts(parts: str) -> Iterator[str]:
    for part in _PART.finditer(parts):
        if part["text"] is not None:
            yield _plain(part["text"])
        elif float(part["shift"]) < _WORD_SHIFT:
            yield " "


def _plain(string: str) -> str:
    return _ESCAPE.sub(
        lambda found: chr(int(found[1], 8) & 0xFF) if found[1] else _ESCAPES.get(found[2], found[2]), string
    )
