"""Lets through the sentences of an explanation that a person can read, and ends at the first that nobody can.

A model that was never trained to explain goes on all the same: blank lines, digits, one word again and again.
None of that may be shown as its reasons.
"""

import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing

#: What is said in place of the words.
NO_READABLE_TEXT = (
    "this adapter writes no explanation that can be read; the influence of the lines is measured"
)

# A sentence has a subject, a verb and what they are about.
_MIN_WORDS = 3
# Prose has nine letters in ten characters that are not blank; lists of years and codes have fewer.
_MIN_LETTER_SHARE = 0.6
# Of a sentence of ten words or more: the usual "the" takes a fifth at most.
_MAX_WORD_SHARE = 0.4
_WORDS_FOR_SHARES = 10
# Longer without a letter or without an end, it is no sentence any more.
_MAX_CHARACTERS_WITHOUT_LETTER = 40
_MAX_SENTENCE_CHARACTERS = 600
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+")
# Where words are not set apart, each character counts as one.
_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]|[^\W\d_]+")
_LOOP = re.compile(r"(.{1,24}?)\1{5}$", re.DOTALL)
_LOOP_CHARACTERS = 24 * 6


async def readable_sentences(pieces: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """Yields an explanation sentence by sentence, white space included; nothing where none can be read.

    Args:
        pieces: of the text as the model writes it; closed early where it degenerates.
    """
    check, pending = _SentenceCheck(), ""
    async with aclosing(pieces):
        async for piece in pieces:
            pending += piece
            while (end := _SENTENCE_END.search(pending, len(pending) - len(pending.lstrip()))) is not None:
                sentence, pending = pending[: end.end()], pending[end.end() :]
                if not check.accepts(sentence):
                    return
                yield sentence
            if _is_degenerating(pending):
                return
    if check.accepts(pending):
        yield pending


def _is_degenerating(pending: str) -> bool:
    """Returns whether what follows the last sentence will never be one."""
    return (
        len(pending) > _MAX_SENTENCE_CHARACTERS
        or (len(pending) > _MAX_CHARACTERS_WITHOUT_LETTER and not _WORD.search(pending))
        or (pending.isspace() and pending.count("\n") > 2)
        or _LOOP.search(pending, max(0, len(pending) - _LOOP_CHARACTERS)) is not None
    )


class _SentenceCheck:
    """Knows the sentences so far: saying one again is a loop."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, ...]] = set()

    def accepts(self, sentence: str) -> bool:
        words = tuple(word.casefold() for word in _WORD.findall(sentence))
        if len(words) < _MIN_WORDS or words in self._seen:
            return False
        self._seen.add(words)
        visible = sum(not character.isspace() for character in sentence)
        if sum(map(len, words)) < _MIN_LETTER_SHARE * visible:
            return False
        most = Counter(words).most_common(1)[0][1]
        return len(words) < _WORDS_FOR_SHARES or most <= _MAX_WORD_SHARE * len(words)
