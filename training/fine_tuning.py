"""Fine-tunes a LoRA adapter on labelled pairs with a score-aware loss; transformers' Trainer underneath.

Each example is a group of resumes of one job, whose job part is computed once for all of them, with
gradients through it. The loss stands on the exact distribution of the one-pass read-out, the same that
scoring uses, so training optimises what is served.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import Trainer, TrainingArguments

from services.contracts.errors import ScorerError
from services.scoring.base_model import BaseModel
from services.scoring.lora_adapter import CONFIG_FILE, METADATA_FILE, WEIGHTS_FILE
from services.scoring.prompt import PROMPT_VERSION, PromptBuilder
from services.scoring.score_model import ScoreModel, TreeRow
from services.scoring.score_scale import find_score_tokens
from services.scoring.text_encoder import TextEncoder
from training.dataset import LabelledPair
from training.job_groups import JobGroup, build_job_groups
from training.objectives import (
    expected_score_error,
    log_distribution,
    pairwise_ranking_loss,
    soft_cross_entropy,
)

# Every linear layer of a Gemma block (QLoRA, Dettmers et al. 2023: all layers, or quality suffers).
TARGET_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class TrainingDiverged(ScorerError):
    """The loss stopped being a number."""


@dataclass(frozen=True, slots=True)
class FineTuningConfig:
    """How to fine-tune.

    Attributes:
        rank, alpha, dropout: of LoRA.
        learning_rate: highest, reached after the warm-up; a cosine leads down from it.
        epochs: passes over the data.
        groups_per_step: job groups whose gradients are added up for one step.
        resumes_per_group: largest group.
        warm_up_share: share of all steps in which the learning rate rises.
        max_prompt_tokens: longest prompt in training.
        label_spread: standard deviation of the softened label, in points.
        squared_error_weight: weight of the squared error of the expected score beside the cross-entropy.
        ranking_weight: weight of the pairwise ranking loss within each job group.
        checkpoint_steps: steps between two checkpoints.
        seed: of weights and order.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.1
    learning_rate: float = 2e-4
    epochs: float = 3.0
    groups_per_step: int = 4
    resumes_per_group: int = 4
    warm_up_share: float = 0.03
    max_prompt_tokens: int = 2048
    label_spread: float = 8.0
    squared_error_weight: float = 2.0
    ranking_weight: float = 1.0
    checkpoint_steps: int = 50
    seed: int = 0


class _Groups(torch.utils.data.Dataset[JobGroup]):
    def __init__(self, groups: Sequence[JobGroup]) -> None:
        self._groups = groups

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, index: int) -> JobGroup:
        return self._groups[index]


class ScoreTrainer(Trainer):  # type: ignore[misc]  # transformers is not followed
    """The Trainer with the loss of the score tree."""

    def __init__(self, score_model: ScoreModel, config: FineTuningConfig, **options: Any) -> None:
        super().__init__(**options)
        self._score_model = score_model
        self._config = config
        self.model_accepts_loss_kwargs = False  # the loss is a mean: Trainer divides by the accumulation

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **_: Any) -> Any:
        """Returns the loss of one job group.

        Raises:
            TrainingDiverged: it is not finite.
        """
        group: JobGroup = inputs["group"]
        prefix = self._score_model.differentiable_prefix(group.prefix)
        rows = [TreeRow(prefix, suffix) for suffix in group.suffixes]
        log_probabilities = log_distribution(self._score_model.differentiable_tree_logits(rows))
        labels = torch.tensor(group.labels, device=log_probabilities.device)
        loss = soft_cross_entropy(log_probabilities, labels, self._config.label_spread)
        loss = loss + self._config.squared_error_weight * expected_score_error(log_probabilities, labels)
        loss = loss + self._config.ranking_weight * pairwise_ranking_loss(log_probabilities, labels)
        if not loss.isfinite():
            raise TrainingDiverged("the loss is not a number any more: lower learning_rate")
        return (loss, None) if return_outputs else loss


def fine_tune(
    base: BaseModel,
    pairs: Sequence[LabelledPair],
    output: Path,
    config: FineTuningConfig,
    *,
    resume: bool = False,
) -> Path:
    """Trains an adapter and writes it where scorers can load it.

    Args:
        base: the base model; peft puts its layers into it.
        pairs: what to train on.
        output: folder of the adapter; checkpoints lie in its ``checkpoints`` folder.
        config: how to train.
        resume: go on from the last checkpoint.

    Returns:
        The adapter's folder.

    Raises:
        TrainingDiverged: the loss stopped being a number.
    """
    torch.manual_seed(config.seed)
    encoder = TextEncoder(base.tokenizer)
    prompts = PromptBuilder(encoder, config.max_prompt_tokens)
    groups, num_left_out = build_job_groups(pairs, prompts, config.resumes_per_group, config.seed)
    lora = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(TARGET_MODULES),
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(base.model, lora)
    trainer = ScoreTrainer(
        ScoreModel(base, find_score_tokens(encoder)),
        config,
        model=model,
        args=_arguments(output / "checkpoints", config, len(groups), base.model.dtype),
        train_dataset=_Groups(groups),
        data_collator=lambda batch: {"group": batch[0]},
    )
    trainer.train(resume_from_checkpoint=resume or None)
    metadata = {
        "config": asdict(config),
        "prompt_version": PROMPT_VERSION,
        "base_model": base.name,
        "base_model_digest": base.digest,
        "num_pairs": len(pairs) - num_left_out,
    }
    _write_whole(model, metadata, output)
    return output


def _write_whole(model: Any, metadata: dict[str, Any], output: Path) -> None:
    """Writes the adapter to a scratch folder and moves it in, weights last: no half adapter is ever there."""
    with tempfile.TemporaryDirectory(dir=output) as scratch:
        model.save_pretrained(scratch)
        (Path(scratch) / METADATA_FILE).write_text(json.dumps(metadata, indent=2))
        for name in (METADATA_FILE, CONFIG_FILE, WEIGHTS_FILE):
            (Path(scratch) / name).replace(output / name)


def _arguments(
    folder: Path, config: FineTuningConfig, num_groups: int, dtype: torch.dtype
) -> TrainingArguments:
    steps = max(1, round(config.epochs * num_groups / config.groups_per_step))
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=1,  # one group; it holds several resumes
        gradient_accumulation_steps=config.groups_per_step,
        learning_rate=config.learning_rate,
        num_train_epochs=config.epochs,
        lr_scheduler_type="cosine",
        warmup_steps=min(100, max(1, round(config.warm_up_share * steps))),
        weight_decay=0.0,
        max_grad_norm=1.0,
        logging_steps=5,
        save_steps=config.checkpoint_steps,
        save_total_limit=2,
        seed=config.seed,
        data_seed=config.seed,
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        use_cpu=not torch.cuda.is_available(),
        # LoRA's float32 weights stay; their products run in the base model's type, a quarter faster on a CPU.
        bf16=dtype == torch.bfloat16,
    )
