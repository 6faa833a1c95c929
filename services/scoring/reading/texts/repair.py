"""Mends what extractors and copying do to a text, so that the same words are the same tokens.

White space of other kinds becomes blanks and line ends, words that were cut at a line's end or letter-spaced
are joined, text that was decoded by the wrong table is decoded anew (ftfy). What a reader sees as one word is
one word then; nothing is corrected, translated or left out.
"""

import re

import ftfy

# Blanks of other widths (no-break, thin, figure, ideographic), and line ends of other kinds.
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_ENDS = re.compile("\r\n?|[\u000b\u000c\u0085\u2028\u2029]")
# A word of small letters that goes on, in small letters, on the next line.
_CUT_WORD = re.compile(r"(?<=[^\W\d_A-Z]{2})[-\u2010\u00ad][ \t]{0,4}\n[ \t]{0,8}(?=[^\W\d_A-Z]{2})")
_WORD_BEFORE = re.compile(r"[^\W\d_]{1,30}$")
# Words whose hyphen belongs to them: "self-\nemployed" is self-employed.
_HYPHENATED = frozenset(
    (
        "self",
        "full",
        "part",
        "co",
        "non",
        "multi",
        "high",
        "low",
        "long",
        "short",
        "well",
        "cross",
        "on",
        "off",
    )
    + (
        "day",
        "end",
        "first",
        "second",
        "third",
        "real",
        "hands",
        "state",
        "front",
        "back",
        "entry",
        "mid",
        "pre",
    )
    + (
        "post",
        "follow",
        "time",
        "cost",
        "data",
        "user",
        "customer",
        "peer",
        "problem",
        "decision",
        "evidence",
    )
    + ("object", "task")
)
# Letters, each alone, with wider gaps between what were words: six or more, or it may be initials.
_SPACED = re.compile(r"(?<!\S)[^\W_](?: {1,3}[^\W_]){5,}(?!\S)")
_WIDE_GAP = re.compile(" {2,}")
# What UTF-8 read as a table of one byte a letter looks like.
_MOJIBAKE = re.compile(
    "[\u00c2\u00c3\u00e2]"
    "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
_MANY_BLANKS = re.compile("(?<=[^ ]) {3,}")


def repair(text: str) -> tuple[str, int]:
    """Returns the mended text, and how many places were mended; white space does not count."""
    num_repaired = 0
    if not text.isascii():
        if _MOJIBAKE.search(text):
            text, num_repaired = _decoded_anew(text)
        text = _BLANKS.sub(" ", text)
    text = _LINE_ENDS.sub("\n", text)
    text, num_cut = _CUT_WORD.subn(_joined, text)
    text, num_spaced = _SPACED.subn(_closed, text)
    return _MANY_BLANKS.sub("  ", text), num_repaired + num_cut + num_spaced


def _decoded_anew(text: str) -> tuple[str, int]:
    mended = "\n".join(ftfy.fix_encoding(line) for line in text.split("\n"))
    return mended, len(_MOJIBAKE.findall(text)) if mended != text else 0


def _joined(found: re.Match[str]) -> str:
    before = _WORD_BEFORE.search(found.string, max(0, found.start() - 30), found.start())
    return "-" if before is not None and before.group().lower() in _HYPHENATED else ""


def _closed(found: re.Match[str]) -> str:
    letters: str = found.group()
    if _WIDE_GAP.search(letters):
        return " ".join(word.replace(" ", "") for word in _WIDE_GAP.split(letters))
    return letters.replace(" ", "")
