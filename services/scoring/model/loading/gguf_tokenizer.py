"""Builds Gemma's tokenizer from the tokens, scores and types that a GGUF file carries.

transformers builds its own from the same file with made-up merges, which turns text into letter salad;
this one reproduces SentencePiece's BPE: a pair may merge when the result is a piece, best score first.
"""

from collections.abc import Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE

# llama.cpp's token types (gguf.TokenType).
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4
_SPACE = "▁"


def build_tokenizer(tokens: Sequence[str], scores: Sequence[float], types: Sequence[int]) -> Tokenizer:
    """Builds the byte-fallback BPE tokenizer.

    Args:
        tokens: the text of each token id.
        scores: SentencePiece's score of each token id; higher merges first.
        types: llama.cpp's type of each token id.
    """
    vocabulary = {
        _sentencepiece_text(text, kind): index
        for index, (text, kind) in enumerate(zip(tokens, types, strict=True))
    }
    pieces = {text: scores[index] for index, text in enumerate(tokens) if types[index] == _NORMAL}
    tokenizer = Tokenizer(
        BPE(
            vocab=vocabulary,
            merges=_merges(pieces, vocabulary),
            unk_token="<unk>",  # noqa: S106  (a vocabulary entry, not a secret)
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    tokenizer.normalizer = normalizers.Replace(" ", _SPACE)
    # Never splits inside a line; without any splitter a long text would be one BPE word.
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("\n+"), behavior="isolated")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.add_special_tokens(
        [
            AddedToken(text, normalized=False, special=True)
            for text, kind in zip(tokens, types, strict=True)
            if kind == _CONTROL
        ]
    )
    tokenizer.add_tokens(
        [
            AddedToken(text, normalized=False, special=False)
            for text, kind in zip(tokens, types, strict=True)
            if kind == _USER_DEFINED
        ]
    )
    return tokenizer


def _sentencepiece_text(text: str, kind: int) -> str:
    # Runs of spaces stand in the file as real spaces, which are matched before normalisation.
    return text if kind != _NORMAL else text.replace(" ", _SPACE)


def _merges(pieces: dict[str, float], vocabulary: dict[str, int]) -> list[tuple[str, str]]:
    ranked: list[tuple[float, int, int, tuple[str, str]]] = []
    for piece, score in pieces.items():
        for cut in range(1, len(piece)):
            left, right = piece[:cut], piece[cut:]
            if left in pieces and right in pieces:
                ranked.append((-score, vocabulary[left], vocabulary[right], (left, right)))
    ranked.sort()
    return [pair for *_, pair in ranked]
