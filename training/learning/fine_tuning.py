"""Fine-tunes a LoRA adapter on labelled pairs; transformers' Trainer and peft underneath.

Each example of a score is a group of resumes of one job, whose job part is computed once for all of them,
with gradients through it. The losses stand on the exact distribution of the one-pass read-out, the same that
scoring uses, so training optimises what is served.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, PrinterCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from services.adapters.adapter_folder import read_adapter
from services.contracts.errors import FieldViolation, InvalidInput, ScorerError
from services.contracts.outcomes import InputFault
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.score_scale import find_score_tokens
from training.adapter_output.canaries import score_canaries
from training.adapter_output.export import AdapterRecord, export_adapter
from training.adapter_output.reference import measure_reference
from training.configuration import FineTuningConfig
from training.learning.heap_trim import HeapTrim
from training.learning.lora_setup import initial_shape_notice, set_evaluation_mode, with_lora
from training.learning.score_trainer import LastStepEvaluation, ProgressReporter, ScoreTrainer
from training.learning.validation import validate
from training.pairs.dataset import LabelledPair, mask_pair
from training.pairs.splits import split_off_validation
from training.planning.epochs import EpochPlanner, dataset_from_batches

_LOGGING_STEPS = 5

log = logging.getLogger(__name__)


class TrainingOutOfMemory(ScorerError):
    """The device has too little memory for one pass."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a run learns from.

    Attributes:
        pairs: labelled pairs; a part is kept out for validation unless ``validation`` is given.
        digest: SHA-256 of their file, for the adapter's metadata; empty where there is none.
        validation: pairs to choose the best checkpoint by, or None.
        initial_adapter: adapter to go on from, or None to start a new one.
    """

    pairs: Sequence[LabelledPair]
    digest: str = ""
    validation: Sequence[LabelledPair] | None = None
    initial_adapter: Path | None = None


@dataclass(frozen=True, slots=True)
class FineTuningResult:
    """What a run gave.

    Attributes:
        folder: the adapter's.
        num_steps: optimiser steps made.
        validation_loss: of the exported weights, or None without validation pairs.
        metrics: figures of the exported weights on the validation pairs; empty without.
    """

    folder: Path
    num_steps: int
    validation_loss: float | None
    metrics: dict[str, Any]


def fine_tune(
    base: BaseModel,
    data: TrainingData,
    output: Path,
    config: FineTuningConfig,
    *,
    resume: bool = False,
    progress: Callable[[str], None] = log.info,
) -> FineTuningResult:
    """Trains an adapter and writes it where scorers can load it.

    Args:
        base: the base model; it comes back without the adapter.
        output: folder of the adapter; checkpoints lie in its ``checkpoints`` folder.
        resume: go on from the last checkpoint, where there is one.
        progress: told one line at a time.

    Raises:
        InvalidInput: there is nothing to train on.
        TrainingDiverged: the loss stopped being a number.
        TrainingOutOfMemory: the device has too little memory.
        AdapterIncompatible: the initial adapter does not fit the base model.
        SettingsInvalid: ``first_layer`` lies above the model's last one.
    """
    torch.manual_seed(config.seed)
    encoder = base.encoder
    pairs, validation = list(data.pairs), list(data.validation or ())
    if data.validation is None:
        pairs, validation = split_off_validation(pairs, config.validation_share, config.seed)
    planner, shown = EpochPlanner(encoder, config), mask_pair if config.mask_identity else _unchanged
    batches = planner.plan_training(list(map(shown, pairs)))
    validation_batches = planner.plan_validation(list(map(shown, validation)))
    if not batches:
        raise InvalidInput(InputFault.NOTHING_TO_TRAIN, [FieldViolation("--data", "holds no pair that fits")])
    progress(f"training on {len(pairs)} pairs, validating on {len(validation)}")
    is_checkpointed = config.gradient_checkpointing == "on" or (
        config.gradient_checkpointing == "auto" and base.model.device.type == "cuda"
    )
    arguments = _arguments(
        output, config, base.model, len(batches), bool(validation_batches), is_checkpointed
    )
    model = with_lora(base, data.initial_adapter, config)
    if data.initial_adapter is not None:
        progress(initial_shape_notice(model))
    score_model = ScoreModel(base, find_score_tokens(encoder))
    trainer = ScoreTrainer(
        score_model,
        config,
        is_prefix_shared=not is_checkpointed,
        model=model,
        args=arguments,
        train_dataset=dataset_from_batches(batches),
        eval_dataset=dataset_from_batches(validation_batches) if validation_batches else None,
        callbacks=_callbacks(output, config, base.model.device.type, bool(validation_batches), progress),
    )
    trainer.remove_callback(PrinterCallback)
    with _told_which_settings(config):
        trainer.train(resume_from_checkpoint=_last_checkpoint(output) if resume else None)
    set_evaluation_mode(model)
    figures = validate(score_model, encoder, validation, config.reading_rules) if validation else None
    result = FineTuningResult(
        folder=output,
        num_steps=trainer.state.global_step,
        validation_loss=trainer.state.best_metric,
        metrics=asdict(figures) if figures else {},
    )
    record = AdapterRecord(
        config=config,
        rules=config.reading_rules,
        data_digest=data.digest,
        num_pairs=len(pairs),
        metrics=result.metrics,
        history=_history(trainer.state.log_history),
        canaries=score_canaries(score_model, encoder, config.reading_rules),
        reference=measure_reference(
            score_model, encoder, pairs, config.reading_rules, config.reference_pairs, config.seed
        ),
        num_steps=result.num_steps,
        validation_loss=result.validation_loss,
        initial_adapter_digest=read_adapter(data.initial_adapter).digest if data.initial_adapter else "",
    )
    export_adapter(model, base, record, output)
    model.unload()
    return result


def _unchanged(pair: LabelledPair) -> LabelledPair:
    return pair


def _arguments(
    output: Path,
    config: FineTuningConfig,
    model: Any,
    num_batches: int,
    is_validated: bool,
    is_checkpointed: bool,
) -> TrainingArguments:
    num_steps = max(1, -(-num_batches // config.gradient_accumulation_steps))
    is_cuda = model.device.type == "cuda"
    is_half = model.dtype == torch.bfloat16
    can_bf16 = not is_cuda or torch.cuda.is_bf16_supported()
    return TrainingArguments(
        output_dir=str(output / "checkpoints"),
        per_device_train_batch_size=1,  # a row is a whole batch
        per_device_eval_batch_size=1,
        gradient_accumulation_steps=config.gradient_accumulation_steps,
        learning_rate=config.learning_rate,
        num_train_epochs=1,  # the rows hold all epochs
        lr_scheduler_type="cosine",
        warmup_steps=min(config.warm_up_steps, max(1, round(config.warm_up_share * num_steps))),
        weight_decay=0.0,
        max_grad_norm=1.0,
        logging_steps=min(_LOGGING_STEPS, config.checkpoint_steps),
        eval_strategy="steps" if is_validated else "no",
        eval_steps=config.checkpoint_steps,
        save_steps=config.checkpoint_steps,
        save_total_limit=2,
        load_best_model_at_end=is_validated,
        metric_for_best_model="eval_loss" if is_validated else None,
        greater_is_better=False if is_validated else None,
        restore_callback_states_from_checkpoint=True,
        prediction_loss_only=True,
        gradient_checkpointing=is_checkpointed,
        gradient_checkpointing_kwargs={"use_reentrant": False} if is_checkpointed else None,
        seed=config.seed,
        data_seed=config.seed,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        use_cpu=not is_cuda,
        # LoRA's float32 weights stay; their products run in the base model's type, a quarter faster on a CPU.
        bf16=is_half and can_bf16,
        fp16=is_half and not can_bf16,
    )


def _callbacks(
    output: Path,
    config: FineTuningConfig,
    device_type: str,
    is_validated: bool,
    progress: Callable[[str], None],
) -> list[Any]:
    callbacks: list[Any] = [ProgressReporter(progress)]
    if device_type == "cpu":
        callbacks.append(HeapTrim())
    if is_validated:
        callbacks.append(LastStepEvaluation())
        if config.early_stopping_patience:
            callbacks.append(EarlyStoppingCallback(config.early_stopping_patience))
    if config.tensorboard:
        from torch.utils.tensorboard import SummaryWriter
        from transformers.integrations import TensorBoardCallback

        callbacks.append(TensorBoardCallback(SummaryWriter(str(output / "tensorboard"))))
    return callbacks


@contextmanager
def _told_which_settings(config: FineTuningConfig) -> Iterator[None]:
    """Turns running out of memory into an error that says what to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        is_memory = isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)
        if not is_memory:
            raise
        raise TrainingOutOfMemory(
            f"out of memory: lower batch_size (now {config.batch_size}) or "
            f"max_prompt_tokens (now {config.max_prompt_tokens})"
        ) from error


def _last_checkpoint(output: Path) -> str | None:
    folder = output / "checkpoints"
    return get_last_checkpoint(str(folder)) if folder.is_dir() else None


def _history(entries: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    names = ("step", "loss", "eval_loss", "learning_rate")
    kept = [{name: float(entry[name]) for name in names if name in entry} for entry in entries]
    return [entry for entry in kept if "loss" in entry or "eval_loss" in entry]
