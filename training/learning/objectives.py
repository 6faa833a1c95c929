"""Score-aware losses on the exact distribution that the one-pass read-out gives."""

import torch

from services.contracts.scoring import NUM_SCORES

# Columns of the read-out: ten digits, then the end; rows: the prompt, nodes 1-9, the node of "10".
_END = 10
_TEN_ROW = 10


def log_distribution(logits: torch.Tensor) -> torch.Tensor:
    """Returns the log-probability of every score; the differentiable twin of ``distribution_from_logits``.

    Args:
        logits: shape (pairs, 11, 11), as ``ScoreModel.differentiable_tree_logits`` gives them.

    Returns:
        Shape (pairs, 101).
    """

    first = logits[:, 0, :_END].log_softmax(-1)
    behind_digit = first[:, 1:, None] + logits[:, 1:_END, :].log_softmax(
        -1
    )  # pairs, digit 1-9, second or end
    behind_ten = logits[:, _TEN_ROW, [0, _END]].log_softmax(-1)
    tens = behind_digit[:, :, :_END].reshape(len(logits), -1)  # scores 10..99
    ten = tens[:, :1]
    return torch.cat(
        [
            first[:, :1],  # 0
            behind_digit[:, :, _END],  # 1..9
            ten + behind_ten[:, 1:],  # 10
            tens[:, 1:],  # 11..99
            ten + behind_ten[:, :1],  # 100
        ],
        dim=1,
    )


def softened_labels(labels: torch.Tensor, spread: float) -> torch.Tensor:
    """Returns a discrete normal distribution around each label.

    Args:
        labels: judged scores, shape (pairs,), in points.
        spread: standard deviation, in points.

    Returns:
        Shape (pairs, 101); each row sums to 1.
    """

    scores = torch.arange(NUM_SCORES, device=labels.device)
    return (-((scores[None] - labels[:, None]) ** 2) / (2 * spread**2)).softmax(-1)


def soft_cross_entropy(log_probabilities: torch.Tensor, labels: torch.Tensor, spread: float) -> torch.Tensor:
    """Returns the mean cross-entropy against the softened labels, in nats."""
    return -(softened_labels(labels, spread) * log_probabilities).sum(-1).mean()


def expected_score_error(log_probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Returns the mean squared error of the expected score, on a scale of 0 to 1 (RAFT, ICLR 2025)."""

    scores = torch.arange(NUM_SCORES, device=labels.device, dtype=log_probabilities.dtype)
    expected = (log_probabilities.exp() * scores).sum(-1)
    return ((expected - labels) / (NUM_SCORES - 1)).square().mean()


def pairwise_ranking_loss(
    log_probabilities: torch.Tensor, labels: torch.Tensor, temperature: float = 10.0
) -> torch.Tensor:
    """Returns the mean logistic loss over pairs of one job whose labels differ (RankNet, Burges et al. 2005).

    Only the difference of two expected scores counts, so it teaches what tells resumes of one job apart.

    Args:
        log_probabilities: shape (resumes, 101), all of one job.
        labels: judged scores, shape (resumes,), in points.
        temperature: difference of two scores, in points, that counts as one unit of the logistic.

    Returns:
        The loss in nats; 0 where all labels agree.
    """

    scores = torch.arange(NUM_SCORES, device=labels.device, dtype=log_probabilities.dtype)
    expected = (log_probabilities.exp() * scores).sum(-1)
    margins = (expected[:, None] - expected[None]) / temperature
    is_better = labels[:, None] > labels[None]
    if not is_better.any():
        return expected.sum() * 0.0
    return torch.nn.functional.softplus(-margins[is_better]).mean()
