"""Whether there is anything to read, and in which language.

A text that an extractor spoilt is scored like any other, with a confident "poor", so it has to be said.
"""

import re
from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

#: Less than half of the text stands in words and numbers.
UNREADABLE_TEXT = "unreadable_text"
#: The text is in another language than the model reads.
WRONG_LANGUAGE = "wrong_language"
#: Less of a text in words than this is not readable.
MIN_READABLE_SHARE = 0.5
#: The language that the model reads and its adapter was measured in.
READ_LANGUAGE = "en"

_WORD = re.compile(r"\w+")
_BLANK = re.compile(r"\s+")
_VOWEL = re.compile("[aeiouyAEIOUY]")
# Numbers of glyphs and the like: letters and many digits in one.
_CODE_WORD = re.compile(r"[A-Za-z]{1,12}\d{3,20}\w{0,40}|\d{13,40}|\w{46,}")
# Abbreviations need no vowel.
_MAX_ABBREVIATION = 4
_MAX_JUDGED_CHARACTERS = 6000
# Fewer letters than these are too few to tell a language by.
_MIN_LETTERS = 120
_LANGUAGE_CHARACTERS = 1200
_MIN_PROBABILITY = 0.7
_LETTER = re.compile(r"[^\W\d_]")
_LINK = re.compile(r"https?://\S+")
_CODE = re.compile(r"[A-Za-z0-9+/]{60,}={0,2}|\(cid:\d{1,5}\)")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_MIN_EAST_ASIAN = 30
_NOTHING = frozenset(
    ("nan", "none", "null", "n/a", "na", "undefined", "-", "tbd", "see attached", "attached")
)


def readable_share(text: str) -> float:
    """Returns the share of a text's visible characters that stand in words and numbers, 0 to 1."""
    # A link is no text, but no fault of the text either.
    judged = _LINK.sub(" ", text[:_MAX_JUDGED_CHARACTERS])
    if judged.strip().casefold() in _NOTHING:
        return 0.0
    num_visible = len(judged) - sum(map(len, _BLANK.findall(judged)))
    num_readable = sum(len(word) for word in _WORD.findall(_CODE.sub(" ", judged)) if _is_word(word))
    return num_readable / num_visible if num_visible else 0.0


def language_of(text: str) -> str:
    """Returns the language as ISO 639-1; empty where too little stands there to tell."""
    head = text[:_LANGUAGE_CHARACTERS]
    if len(_LETTER.findall(head)) < _MIN_LETTERS and len(_EAST_ASIAN.findall(head)) < _MIN_EAST_ASIAN:
        return ""
    language, probability = _identifier().classify(head)
    return str(language) if probability >= _MIN_PROBABILITY else ""


def _is_word(word: str) -> bool:
    if not word.isascii():
        return True
    return not _CODE_WORD.fullmatch(word) and (
        len(word) <= _MAX_ABBREVIATION or word.isdigit() or _VOWEL.search(word) is not None
    )


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    # Lui and Baldwin 2012, "langid.py: An Off-the-shelf Language Identification Tool".
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
