"""How a score is written in tokens: the score tree.

Gemma writes a number one digit a token. The grammar of a score: a first digit; after 1-9 a second digit
or the end; after "10" the end or a last 0; after "0" and after any other two digits the end is certain.
Ten extra tokens behind the prompt therefore give the probability of all 101 strings: the first digits
1 to 9 and the 0 of "10".
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.contracts.scoring import NUM_SCORES
from services.scoring.reading.text_encoder import TextEncoder

#: What ends a score in the answer.
END_OF_SCORE = "\n"
NUM_TREE_NODES = 10
#: Rows of logits that the read-out needs: behind the prompt, then behind each node.
NUM_READOUT_ROWS = 1 + NUM_TREE_NODES

_END = 10
_TEN_NODE = 9  # index of the node for the 0 of "10"

#: For each node the node before it, or -1 where the prompt is.
NODE_PARENTS: tuple[int, ...] = (-1,) * 9 + (0,)
#: For each node its distance from the prompt's last token.
NODE_DEPTHS: tuple[int, ...] = (1,) * 9 + (2,)


@dataclass(frozen=True, slots=True)
class ScoreTokens:
    """Token ids of the score scale in one vocabulary.

    Attributes:
        readout: the ten digits, then the end.
        nodes: the tree's tokens, in order.
    """

    readout: tuple[int, ...]
    nodes: tuple[int, ...]


def find_score_tokens(encoder: TextEncoder) -> ScoreTokens:
    """Looks the score's tokens up.

    Raises:
        ValueError: the vocabulary does not write digits one a token.
    """
    digits = tuple(encoder.token_id(str(digit)) for digit in range(10))
    for probe in ("85", "100"):
        if encoder.encode_template(probe) != [digits[int(letter)] for letter in probe]:
            raise ValueError("this tokenizer does not write a number one digit a token")
    return ScoreTokens(
        readout=(*digits, encoder.token_id(END_OF_SCORE)),
        nodes=(*digits[1:], digits[0]),
    )


def distribution_from_logits(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Turns the tree's logits into the exact distribution over scores.

    Args:
        logits: shape (..., 11, 11): rows are the prompt's last token and the ten nodes, columns the ten
            digits and the end.

    Returns:
        Shape (..., 101); each distribution sums to 1.
    """
    wide = logits.astype(np.float64)
    first = _softmax(wide[..., 0, :_END])
    behind_digit = _softmax(wide[..., 1:_END, :])
    behind_ten = _softmax(wide[..., 1 + _TEN_NODE, [0, _END]])

    scores = np.zeros((*wide.shape[:-2], NUM_SCORES))
    scores[..., 0] = first[..., 0]
    for digit in range(1, 10):
        reached = first[..., digit, None] * behind_digit[..., digit - 1, :]
        scores[..., digit] = reached[..., _END]
        scores[..., 10 * digit : 10 * digit + 10] = reached[..., :_END]
    ten = scores[..., 10].copy()
    scores[..., 100] = ten * behind_ten[..., 0]
    scores[..., 10] = ten * behind_ten[..., 1]
    return scores


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))
