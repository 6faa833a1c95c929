"""transformers' Trainer with our losses; it keeps the loop, the optimiser, the schedule and checkpoints."""

from collections.abc import Callable
from typing import Any

import torch
from transformers import Trainer, TrainerCallback

from services.contracts.errors import ScorerError
from services.scoring.model.score_model import ScoreModel, TreeRow
from training.configuration import FineTuningConfig
from training.learning.objectives import (
    expected_score_error,
    log_distribution,
    pairwise_ranking_loss,
    soft_cross_entropy,
)
from training.planning.batches import AnswerBatch, JobGroup, batch_from_row

_IGNORED = -100


class TrainingDiverged(ScorerError):
    """The loss stopped being a number."""


class ScoreTrainer(Trainer):  # type: ignore[misc]  # transformers is not followed
    """The Trainer with the losses of the score tree and of written answers.

    Args:
        score_model: computes on the model that is trained.
        is_prefix_shared: whether the job part is computed once for a group.
    """

    def __init__(
        self, score_model: ScoreModel, config: FineTuningConfig, is_prefix_shared: bool, **options: Any
    ) -> None:
        super().__init__(data_collator=lambda rows: {"batch": batch_from_row(rows[0])}, **options)
        self._score_model = score_model
        self._config = config
        self._is_prefix_shared = is_prefix_shared
        self.model_accepts_loss_kwargs = False  # the loss is a mean: Trainer divides by the accumulation

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        # The rows lie in the order in which the epochs were planned.
        return torch.utils.data.SequentialSampler(train_dataset or self.train_dataset)

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **_: Any) -> Any:
        """Returns the loss of one batch.

        Raises:
            TrainingDiverged: it is not finite.
        """
        batch = inputs["batch"]
        if isinstance(batch, JobGroup):
            loss = self._score_loss(batch)
        else:
            # A further task has no weight of its own: its share of the batches is what counts.
            loss = (self._config.language_model_weight or 1.0) * answer_loss(model, batch)
        if not loss.isfinite():
            raise TrainingDiverged(
                f"the loss is not a number any more at step {self.state.global_step}: lower learning_rate "
                f"(now {self._config.learning_rate:g})"
            )
        return (loss, None) if return_outputs else loss

    def prediction_step(self, model: Any, inputs: dict[str, Any], *_: Any, **__: Any) -> Any:
        """Returns the loss of one validation batch, in the form that the Trainer's evaluation wants."""
        with torch.no_grad(), self.compute_loss_context_manager():
            return self.compute_loss(model, inputs).detach(), None, None

    def _score_loss(self, group: JobGroup) -> torch.Tensor:
        config = self._config
        rows = group_rows(self._score_model, group, is_prefix_shared=self._is_prefix_shared)
        log_probabilities = log_distribution(self._score_model.differentiable_tree_logits(rows))
        labels = torch.tensor(group.labels, device=log_probabilities.device)
        loss = config.cross_entropy_weight * soft_cross_entropy(
            log_probabilities, labels, config.label_spread
        )
        loss = loss + config.squared_error_weight * expected_score_error(log_probabilities, labels)
        return loss + config.ranking_weight * pairwise_ranking_loss(log_probabilities, labels)


def group_rows(score_model: ScoreModel, group: JobGroup, *, is_prefix_shared: bool) -> list[TreeRow]:
    """Returns the rows of one tree pass, with gradients through the job part.

    Args:
        is_prefix_shared: False computes each prompt whole, which a checkpointed layer needs.
    """
    if not is_prefix_shared:
        return [TreeRow(None, (*group.prefix, *suffix)) for suffix in group.suffixes]
    prefix = score_model.differentiable_prefix(group.prefix)
    return [TreeRow(prefix, suffix) for suffix in group.suffixes]


def answer_loss(model: Any, batch: AnswerBatch) -> torch.Tensor:
    """Returns the mean cross-entropy over the answers' tokens, in nats; the prompts have no part in it.

    Args:
        model: the causal language model that is trained.
        batch: prompts and answers; shorter ones are padded on the left, so that all answers end together.
    """
    sequences = [(*prompt, *answer) for prompt, answer in zip(batch.prompts, batch.answers, strict=True)]
    longest = max(map(len, sequences))
    num_kept = max(map(len, batch.answers))
    device = model.device
    tokens = torch.tensor([(0,) * (longest - len(row)) + row for row in sequences], device=device)
    padding = torch.tensor([longest - len(row) for row in sequences], device=device)
    places = torch.arange(longest, device=device)[None] - padding[:, None]
    labels = torch.tensor(
        [(_IGNORED,) * (num_kept - len(answer)) + answer for answer in batch.answers], device=device
    )
    # Logits of the answers only: those of every position would be most of the work.
    logits = model(
        input_ids=tokens,
        attention_mask=(places >= 0).long(),
        position_ids=places.clamp(min=0),
        use_cache=False,
        logits_to_keep=num_kept + 1,
    ).logits
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].float().flatten(0, 1), labels.flatten(), ignore_index=_IGNORED
    )


class ProgressReporter(TrainerCallback):  # type: ignore[misc]
    """Tells the figures of each log line in words.

    Args:
        progress: told one line at a time.
    """

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Tells loss, validation loss and learning rate, where the line has them."""
        logs = logs or {}
        names = {"loss": "loss", "eval_loss": "validation loss", "learning_rate": "learning rate"}
        figures = [f"{label} {float(logs[name]):.4g}" for name, label in names.items() if name in logs]
        if figures:
            self._progress(f"step {state.global_step}/{state.max_steps}: {', '.join(figures)}")


class LastStepEvaluation(TrainerCallback):  # type: ignore[misc]
    """Evaluates after the last step too, so that it can be the best one."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Asks for an evaluation where the run ends."""
        if state.global_step >= state.max_steps:
            control.should_evaluate = True
