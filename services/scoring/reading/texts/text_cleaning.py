"""What happens to every text from outside before it is tokenised: little, and the same for ever.

A change here changes the scores of texts that hold the characters at hand. It needs a new ``PROMPT_VERSION``
where ordinary resumes are among them; so far none is (docs/security.md has the count).
"""

import re
import unicodedata

import regex

# Control characters except tab and newline: NUL and its like carry nothing for a reader.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
# What nobody sees: soft hyphens, zero-width spaces and joiners of words, marks and overrides of direction,
# invisible operators and fillers, interlinear and tag characters, which can spell whole hidden sentences.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# These two join letters in Persian, in scripts of India and in emoji; beside Latin letters they only hide.
# Taken run by run: a pattern that looks for what stands behind a run takes quadratic time on a long one.
_JOINERS = re.compile("[\u200c\u200d]+")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
# What UAX #15 allows in its Stream-Safe Text Format; no language has so many marks on one letter, and
# composing them (NFC) takes quadratic time.
_TOO_MANY_MARKS = regex.compile(r"(\p{M}{30})\p{M}+")
# Letters in another dress: ligatures of print, full width, circled, and the bold or script letters of maths.
_DRESSED = re.compile("[\ufb00-\ufb06\uff01-\uff5e\u24b6-\u24e9\U0001d400-\U0001d7ff]+")


def clean_text(text: str) -> str:
    """Returns text that every tokenizer can encode and that holds what a reader would see.

    Line ends become newlines, other control characters spaces, lone surrogates U+FFFD. Invisible characters
    go, dressed-up letters become plain (NFKC), and accents are composed (NFC), 30 marks a letter at most.
    Whatever else NFKC would change, such as fractions, stays. Trailing and leading white space is dropped.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub(" ", text)
    if not text.isascii():
        text = _LONE_SURROGATE.sub("\ufffd", text)
        text = _INVISIBLE.sub("", text)
        if "\u200c" in text or "\u200d" in text:
            text = _JOINERS.sub(_without_hiding_joiners, text)
        text = _DRESSED.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
        text = unicodedata.normalize("NFC", _TOO_MANY_MARKS.sub(r"\1", text))
        text = _TOO_MANY_MARKS.sub(r"\1", text)  # what has no composed form was taken apart
    return text.strip()


def _without_hiding_joiners(found: re.Match[str]) -> str:
    text, start, end = found.string, found.start(), found.end()
    is_hiding = _LATIN.match(text, end) or (start > 0 and _LATIN.match(text, start - 1))
    return "" if is_hiding else found.group()


def num_hidden_characters(text: str) -> int:
    """Returns how many characters hide inside words or spell hidden text; soft hyphens may well be honest."""
    if text.isascii() or not _MAY_HIDE.search(text):
        return 0
    return len(_HIDING.findall(text))


# One class of characters is found ten times as fast as what looks around itself.
_MAY_HIDE = re.compile("[\u180e\u200b-\u200d\u202d\u202e\u2060\ufeff\U000e0020-\U000e007e]")
_HIDING = re.compile(
    "(?<=[^\\W\\d_])[\u200b\u2060\ufeff\u180e]+(?=[^\\W\\d_])"
    "|(?<=[A-Za-z])[\u200c\u200d]+(?=[A-Za-z])"
    "|[\u202d\u202e]|[\U000e0020-\U000e007e]"
)
