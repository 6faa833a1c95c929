"""Text to token ids, with text from outside kept apart from the marks of a turn."""

import re
from collections.abc import Sequence

from tokenizers import Tokenizer

from services.scoring.reading.texts.text_cleaning import clean_text
from services.scoring.reading.turns import GEMMA_TURNS, Turns


class TextEncoder:
    """Encodes with one tokenizer; stateless and safe to use from several threads.

    Attributes:
        turns: likewise.
    """

    def __init__(self, tokenizer: Tokenizer, turns: Turns = GEMMA_TURNS) -> None:
        self._tokenizer = tokenizer
        self.turns = turns
        self._mark = re.compile(f"({'|'.join(map(re.escape, turns.marks))})")
        # Blind to special tokens from here on: "<end_of_turn>" in a resume is plain letters.
        tokenizer.encode_special_tokens = True

    def encode_template(self, text: str) -> list[int]:
        """Encodes our own text, in which the marks of a turn count.

        Raises:
            ValueError: the vocabulary lacks a mark.
        """
        ids: list[int] = []
        for part in self._mark.split(text):
            if self._mark.fullmatch(part):
                ids.append(self.token_id(part))
            else:
                ids.extend(self._tokenizer.encode(part, add_special_tokens=False).ids)
        return ids

    def encode_outside(self, text: str) -> list[int]:
        """Encodes text from outside; no special token can come out of it."""
        ids: list[int] = self._tokenizer.encode(clean_text(text), add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of token ids, without special tokens."""
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def token_id(self, token: str) -> int:
        """Returns the id of one token.

        Raises:
            ValueError: the vocabulary has no such token.
        """
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise ValueError(f"the vocabulary has no token {token!r}")
        return int(found)
