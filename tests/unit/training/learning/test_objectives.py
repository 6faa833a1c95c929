import numpy as np
import pytest
import torch

from services.scoring.reading.score_scale import distribution_from_logits
from training.learning.objectives import (
    expected_score_error,
    log_distribution,
    pairwise_ranking_loss,
    soft_cross_entropy,
    softened_labels,
)

LOGITS = torch.randn(5, 11, 11, generator=torch.Generator().manual_seed(3)) * 3


def certain(score: int) -> torch.Tensor:
    log_probabilities = torch.full((1, 101), -100.0)
    log_probabilities[0, score] = 0.0
    return log_probabilities


def test_training_sees_the_distribution_that_scoring_reads_out() -> None:
    trained_on = log_distribution(LOGITS).exp().numpy()

    np.testing.assert_allclose(trained_on, distribution_from_logits(LOGITS.numpy()), atol=1e-6)


def test_softened_labels_lie_around_the_label() -> None:
    labels = softened_labels(torch.tensor([60.0, 100.0]), spread=8.0)

    np.testing.assert_allclose(labels.sum(-1), 1.0, rtol=1e-5)
    assert labels.argmax(-1).tolist() == [60, 100]
    assert float(labels[0] @ torch.arange(101.0)) == pytest.approx(60, abs=0.01)
    assert float((labels[0] * (torch.arange(101) - 60) ** 2).sum() ** 0.5) == pytest.approx(8, abs=0.1)


def test_both_losses_fall_towards_the_label() -> None:
    label = torch.tensor([70.0])

    errors = [float(expected_score_error(certain(score), label)) for score in (20, 60, 70)]
    crossings = [float(soft_cross_entropy(certain(score), label, 8.0)) for score in (20, 60, 70)]

    assert errors == pytest.approx([0.25, 0.01, 0.0], abs=1e-6)
    assert crossings == sorted(crossings, reverse=True)


def test_gradients_reach_every_logit_that_a_score_depends_on() -> None:
    logits = LOGITS.clone().requires_grad_()

    soft_cross_entropy(log_distribution(logits), torch.full((5,), 50.0), 20.0).backward()

    touched = logits.grad.abs().sum(0) > 0
    assert not touched[0, 10]  # the end cannot come first
    assert touched[0, :10].all()
    assert touched[1:10].all()
    assert touched[10].nonzero().flatten().tolist() == [0, 10]


def test_the_ranking_loss_falls_when_the_better_resume_scores_higher() -> None:
    labels = torch.tensor([90.0, 20.0])
    right = pairwise_ranking_loss(torch.cat([certain(80), certain(40)]), labels)
    undecided = pairwise_ranking_loss(torch.cat([certain(60), certain(60)]), labels)
    wrong = pairwise_ranking_loss(torch.cat([certain(40), certain(80)]), labels)

    assert float(right) < float(undecided) < float(wrong)
    assert float(undecided) == pytest.approx(np.log(2), abs=1e-5)


def test_the_ranking_loss_of_equal_labels_is_zero_and_has_a_gradient() -> None:
    log_probabilities = torch.cat([certain(80), certain(40)]).requires_grad_()

    loss = pairwise_ranking_loss(log_probabilities, torch.tensor([60.0, 60.0]))
    loss.backward()

    assert loss.item() == 0.0
    assert log_probabilities.grad is not None
    assert not log_probabilities.grad.any()
