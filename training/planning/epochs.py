"""Lays out what a run trains on, pass after pass, before it starts: the same seed gives the same run."""

import logging
import math
import random
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import datasets

from services.contracts.errors import InvalidInput
from services.scoring.reading.pair_reader import PairReader
from services.scoring.reading.text_encoder import TextEncoder
from training.configuration import FineTuningConfig
from training.pairs.dataset import LabelledPair
from training.planning.augmentation import augment, with_attack
from training.planning.batches import AnswerBatch, TrainingBatch, row_from_batch
from training.planning.formatting import AnswerExample, AnswerFormatter
from training.planning.job_groups import build_job_groups
from training.planning.tasks import task_example

# Clear cases come first in a curriculum.
_CLEARLY_POOR, _CLEARLY_EXCELLENT = 30.0, 80.0
_COLUMNS = datasets.Features(
    {
        "prefix": datasets.List(datasets.Value("int32")),
        "texts": datasets.List(datasets.List(datasets.Value("int32"))),
        "labels": datasets.List(datasets.Value("float32")),
        "answers": datasets.List(datasets.List(datasets.Value("int32"))),
    }
)

log = logging.getLogger(__name__)


def clear_cases(pairs: Sequence[LabelledPair]) -> list[LabelledPair]:
    """Returns the pairs whose label is below 30 or above 80; all of them where none is."""
    clear = [pair for pair in pairs if pair.score < _CLEARLY_POOR or pair.score > _CLEARLY_EXCELLENT]
    return clear or list(pairs)


class EpochPlanner:
    """Turns pairs into batches."""

    def __init__(self, encoder: TextEncoder, config: FineTuningConfig) -> None:
        self._config = config
        self._reader = PairReader(encoder, config.training_rules)
        self._encoder = encoder

    @cached_property
    def _formatter(self) -> AnswerFormatter:
        # Not before it is needed: a short prompt has no room for a written answer.
        return AnswerFormatter(self._encoder, self._config.training_rules)

    def plan_training(self, pairs: Sequence[LabelledPair]) -> list[TrainingBatch]:
        """Returns the batches of all epochs in their order; an epoch's part is cut from its end.

        Raises:
            InvalidInput: no text holds anything to read.
        """
        batches: list[TrainingBatch] = []
        for epoch in range(math.ceil(self._config.epochs)):
            order = random.Random(f"{self._config.seed}:{epoch}")  # noqa: S311  (an order, not a secret)
            planned = self._plan_epoch(self._choose(pairs, epoch, order), order)
            batches += planned[: math.ceil(min(1.0, self._config.epochs - epoch) * len(planned))]
        return batches

    def plan_validation(self, pairs: Sequence[LabelledPair]) -> list[TrainingBatch]:
        """Returns the batches of the same losses over unchanged pairs, without further tasks."""
        return self._plan_scoring(pairs, random.Random(0)) if pairs else []  # noqa: S311

    def _choose(self, pairs: Sequence[LabelledPair], epoch: int, order: random.Random) -> list[LabelledPair]:
        chosen = clear_cases(pairs) if self._config.curriculum and epoch == 0 else list(pairs)
        share = self._config.augmentation_share
        chosen = [augment(pair, order) if order.random() < share else pair for pair in chosen]
        share = self._config.attack_share
        if not share:  # and so draws nothing: runs without attacks stay as they were
            return chosen
        return [with_attack(pair, order) if order.random() < share else pair for pair in chosen]

    def _plan_epoch(self, pairs: Sequence[LabelledPair], order: random.Random) -> list[TrainingBatch]:
        planned = self._plan_scoring(pairs, order)
        for name in self._config.tasks:
            chosen = [pair for pair in pairs if order.random() < self._config.task_share]
            found = [task_example(name, pair, self._formatter) for pair in chosen]
            planned += self._batch_answers([example for example in found if example is not None])
        order.shuffle(planned)
        return planned

    def _plan_scoring(self, pairs: Sequence[LabelledPair], order: random.Random) -> list[TrainingBatch]:
        planned: list[TrainingBatch] = []
        num_left_out = 0
        if self._config.is_scoring_trained:
            groups, num_left_out = build_job_groups(pairs, self._reader, self._config.batch_size, order)
            planned += groups
        if self._config.language_model_weight:
            examples = _build_each(pairs, self._formatter.score_example)
            num_left_out = max(num_left_out, len(pairs) - len(examples))
            planned += self._batch_answers(examples)
        if num_left_out:
            log.warning("%d of %d pairs left out: a text holds nothing to read", num_left_out, len(pairs))
        return planned

    def _batch_answers(self, examples: list[AnswerExample]) -> list[TrainingBatch]:
        """Batches examples of similar length."""
        examples = sorted(examples, key=lambda example: len(example.prompt))
        size = self._config.batch_size
        return [
            AnswerBatch(
                tuple(example.prompt for example in examples[start : start + size]),
                tuple(example.answer for example in examples[start : start + size]),
            )
            for start in range(0, len(examples), size)
        ]


def _build_each(
    pairs: Sequence[LabelledPair], build: Callable[[LabelledPair], AnswerExample]
) -> list[AnswerExample]:
    examples = []
    for pair in pairs:
        try:
            examples.append(build(pair))
        except InvalidInput:  # nothing to read; the caller counts these
            continue
    return examples


def dataset_from_batches(batches: Sequence[TrainingBatch]) -> Any:
    """Returns a ``datasets.Dataset`` (Arrow) with one batch a row."""
    return datasets.Dataset.from_list([row_from_batch(batch) for batch in batches], features=_COLUMNS)
