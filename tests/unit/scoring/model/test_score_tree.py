"""The one-pass read-out against the brute-force probability of every score."""

import itertools

import numpy as np
import pytest
import torch

from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.score_model import ScoreModel, TreeRow
from services.scoring.reading.score_scale import NUM_READOUT_ROWS, distribution_from_logits, find_score_tokens
from services.scoring.reading.text_encoder import TextEncoder

WINDOW = 64  # of both tiny models, in tokens
MAX_DIFFERENCE = 1e-4


def random_tokens(length: int, seed: int) -> tuple[int, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(1000, 200_000, (length,), generator=generator).tolist())


def next_token_probabilities(base: BaseModel, tokens: list[int], allowed: list[int]) -> np.ndarray:
    """One plain run of the model as transformers computes it, renormalised over the allowed tokens."""
    with torch.inference_mode():
        logits = base.model(input_ids=torch.tensor([tokens]), logits_to_keep=1).logits[0, -1]
    return torch.softmax(logits[allowed].double(), dim=0).numpy()


def brute_force_distribution(base: BaseModel, prompt: tuple[int, ...]) -> np.ndarray:
    """Walks the grammar of scores with a separate run of the model at each step of each string."""
    encoder = TextEncoder(base.tokenizer)
    digits = [encoder.token_id(str(digit)) for digit in range(10)]
    end = encoder.token_id("\n")
    scores = np.zeros(101)
    first = next_token_probabilities(base, list(prompt), digits)
    scores[0] = first[0]
    for one in range(1, 10):
        behind_one = next_token_probabilities(base, [*prompt, digits[one]], [*digits, end])
        scores[one] = first[one] * behind_one[10]
        for two in range(10):
            reached = first[one] * behind_one[two]
            if (one, two) == (1, 0):
                behind_ten = next_token_probabilities(base, [*prompt, digits[1], digits[0]], [digits[0], end])
                scores[100] = reached * behind_ten[0]
                scores[10] = reached * behind_ten[1]
            else:
                scores[10 * one + two] = reached
    return scores


def score_model(base: BaseModel) -> ScoreModel:
    return ScoreModel(base, find_score_tokens(TextEncoder(base.tokenizer)))


@pytest.mark.parametrize("length", [WINDOW // 3, 3 * WINDOW])
def test_one_pass_gives_the_probability_of_every_score(tiny_model: BaseModel, length: int) -> None:
    prompt = random_tokens(length, seed=length)

    logits = score_model(tiny_model).score_tree_logits([TreeRow(None, prompt)])

    distribution = distribution_from_logits(logits[0])
    assert distribution.sum() == pytest.approx(1.0, abs=1e-9)
    assert np.abs(distribution - brute_force_distribution(tiny_model, prompt)).max() < MAX_DIFFERENCE


def test_padding_and_cached_prefixes_of_any_length_change_nothing(tiny_model: BaseModel) -> None:
    model = score_model(tiny_model)
    shapes = list(itertools.product([0, WINDOW // 4, 2 * WINDOW], [5, 2 * WINDOW]))
    prompts = [
        (random_tokens(before, seed=index), random_tokens(behind, seed=100 + index))
        for index, (before, behind) in enumerate(shapes)
    ]

    rows = [TreeRow(model.compute_prefix(before) if before else None, behind) for before, behind in prompts]
    distributions = distribution_from_logits(model.score_tree_logits(rows))

    for distribution, (before, behind) in zip(distributions, prompts, strict=True):
        expected = brute_force_distribution(tiny_model, before + behind)
        assert np.abs(distribution - expected).max() < MAX_DIFFERENCE


def test_the_tree_is_not_blind_to_the_first_digit(tiny_model: BaseModel) -> None:
    # A tree whose nodes saw only the prompt would give every first digit the same second digits.
    prompt = random_tokens(20, seed=1)

    logits = score_model(tiny_model).score_tree_logits([TreeRow(None, prompt)])[0]

    assert np.abs(logits[1] - logits[2]).max() > 1e-3


def test_the_last_layer_computes_only_the_rows_that_are_read(tiny_model: BaseModel) -> None:
    model = score_model(tiny_model)
    num_rows: list[int] = []
    last_layer = tiny_model.model.model.layers[-1]
    hook = last_layer.mlp.register_forward_hook(lambda _m, inputs, _o: num_rows.append(inputs[0].shape[1]))
    try:
        prefix = model.compute_prefix(random_tokens(20, seed=1))
        model.score_tree_logits([TreeRow(prefix, random_tokens(30, seed=2))])
        with torch.inference_mode():
            tiny_model.model(input_ids=torch.tensor([random_tokens(7, seed=3)]))
    finally:
        hook.remove()

    assert num_rows == [1, NUM_READOUT_ROWS, 7]
