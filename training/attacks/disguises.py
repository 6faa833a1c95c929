"""How an attack hides from a reader or from a filter, while a model may still read it."""

import base64
import re
import unicodedata
from collections.abc import Callable

_ZERO_WIDTH = "\u200b"
_TAG_OFFSET = 0xE0000
_OVERRIDE, _END_OF_OVERRIDE = "\u202e", "\u202c"
# Cyrillic letters that look like the Latin ones.
_LOOK_ALIKES = str.maketrans("aceiopsxyACEHIKMOPTX", "асеіорѕхуАСЕНІКМОРТХ")
_BOLD_OFFSETS = {"A": 0x1D5D4, "a": 0x1D5EE, "0": 0x1D7EC}


def _bold(text: str) -> str:
    def dress(letter: str) -> str:
        for first, offset in _BOLD_OFFSETS.items():
            if unicodedata.category(letter) == unicodedata.category(first) and letter.isascii():
                return chr(offset + ord(letter) - ord(first))
        return letter

    return "".join(map(dress, text))


def _spaced(text: str) -> str:
    return "   ".join(" ".join(word) for word in text.split())


#: By kind of attack; a kind without a disguise shows its text as it is.
DISGUISES: dict[str, Callable[[str], str]] = {
    "zero_width": lambda text: re.sub(r"(?<=\w)(?=\w)", _ZERO_WIDTH, text),
    "tag_characters": lambda text: "".join(chr(_TAG_OFFSET + ord(letter)) for letter in text),
    "homoglyphs": lambda text: text.translate(_LOOK_ALIKES),
    "spaced_letters": _spaced,
    "styled_letters": _bold,
    "reversed_bidi": lambda text: f"{_OVERRIDE}{text[::-1]}{_END_OF_OVERRIDE}",
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
}
