import numpy as np
import pytest

from services.scoring.reading.score_scale import distribution_from_logits, find_score_tokens
from services.scoring.reading.text_encoder import TextEncoder

NEVER = -1e9


def test_certain_logits_give_a_certain_score() -> None:
    logits = np.zeros((11, 11), dtype=np.float32)
    logits[0, 8] = 1e3  # first digit 8
    logits[8, 5] = 1e3  # then 5

    assert distribution_from_logits(logits)[85] == pytest.approx(1.0)


def test_one_hundred_is_reached_through_ten() -> None:
    logits = np.zeros((11, 11), dtype=np.float32)
    logits[0, 1] = logits[1, 0] = 1e3
    logits[10, 0], logits[10, 10] = 1.0, 0.0

    scores = distribution_from_logits(logits)

    assert scores[100] == pytest.approx(1 / (1 + np.exp(-1)))
    assert scores[10] == pytest.approx(1 - scores[100])


def test_the_end_token_cannot_come_first() -> None:
    logits = np.zeros((2, 11, 11), dtype=np.float32)
    logits[:, 0, 10] = 1e3

    scores = distribution_from_logits(logits)

    assert scores.shape == (2, 101)
    np.testing.assert_allclose(scores.sum(axis=-1), 1.0)
    np.testing.assert_allclose(scores[:, 0], 0.1)


def test_the_scale_is_eleven_tokens_and_ten_nodes(encoder: TextEncoder) -> None:
    tokens = find_score_tokens(encoder)

    assert encoder.decode(tokens.readout) == "0123456789\n"
    assert encoder.decode(tokens.nodes) == "1234567890"
