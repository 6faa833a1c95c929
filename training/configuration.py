"""How to fine-tune: one frozen object, read from YAML. The defaults are the fine-tuning guide's."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from services.contracts.errors import SettingsInvalid
from services.contracts.reading import ReadingRules

TaskName = Literal["skill_extraction", "experience_level", "education_match"]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class FineTuningConfig:
    """How to fine-tune.

    Attributes:
        rank, alpha, dropout: of LoRA.
        learning_rate: highest, reached after the warm-up; a cosine leads down from it.
        epochs: passes over the data.
        batch_size: resumes of one job in one pass.
        gradient_accumulation_steps: passes whose gradients are added up for one step.
        warm_up_steps: steps in which the learning rate rises; ``warm_up_share`` of all where that is fewer.
        warm_up_share: see ``warm_up_steps``.
        max_prompt_tokens: longest prompt in training.
        max_resume_tokens: longest resume in training; 0 leaves it to ``max_prompt_tokens`` alone.
        mask_identity: whether resumes lose names, pronouns, contacts and age first, as scorers do by default.
        first_layer: lowest decoder layer that gets LoRA; those below it need no backward pass.
        language_model_weight: weight of the cross-entropy of the written answer (score and reasoning).
        cross_entropy_weight: weight of the cross-entropy against the softened label, over all 101 scores.
        squared_error_weight: weight of the squared error of the expected score.
        ranking_weight: weight of the pairwise ranking loss among the resumes of one pass.
        label_spread: standard deviation of the softened label, in points.
        augmentation_share: share of the pairs that are changed anew in each epoch.
        attack_share: share of the pairs whose resume is attacked anew in each epoch, with its honest label.
        curriculum: whether the first epoch holds only labels below 30 or above 80.
        tasks: further tasks that are learned beside scoring, from rows that carry their answers.
        task_share: share of the rows that give such a task in an epoch.
        validation_share: share of the jobs kept out of training to choose the best checkpoint by.
        early_stopping_patience: evaluations without a lower validation loss that end the run; 0 never does.
        checkpoint_steps: steps between two evaluations, each with a checkpoint.
        gradient_checkpointing: ``on`` trades a third more time for memory; ``auto`` is on for CUDA only. With
            it the job part is computed once for each resume, since a checkpointed layer keeps no cache.
        reference_pairs: training pairs that the finished adapter scores, for scorers to notice drift by; 0 is
            none.
        tensorboard: whether to write event files.
        seed: of weights, split, order and augmentation.
    """

    rank: Positive = 16
    alpha: Positive = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 2e-4
    epochs: Annotated[float, Field(gt=0)] = 3.0
    batch_size: Positive = 2
    gradient_accumulation_steps: Positive = 4
    warm_up_steps: Annotated[int, Field(ge=0)] = 100
    warm_up_share: Share = 0.03
    max_prompt_tokens: Annotated[int, Field(ge=128)] = 2048
    max_resume_tokens: Annotated[int, Field(ge=0)] = 0
    mask_identity: bool = True
    first_layer: Annotated[int, Field(ge=0)] = 0
    language_model_weight: Weight = 0.0
    cross_entropy_weight: Weight = 1.0
    squared_error_weight: Weight = 2.0
    ranking_weight: Weight = 1.0
    label_spread: Annotated[float, Field(gt=0)] = 8.0
    augmentation_share: Share = 0.0
    attack_share: Share = 0.0
    curriculum: bool = False
    tasks: tuple[TaskName, ...] = ()
    task_share: Share = 0.25
    validation_share: Annotated[float, Field(ge=0, lt=1)] = 0.1
    early_stopping_patience: Annotated[int, Field(ge=0)] = 3
    checkpoint_steps: Positive = 50
    gradient_checkpointing: Literal["auto", "on", "off"] = "auto"
    reference_pairs: Annotated[int, Field(ge=0)] = 200
    tensorboard: bool = True
    seed: int = 0

    @property
    def reading_rules(self) -> ReadingRules:
        """Returns how scorers are to read with the adapter; ``max_prompt_tokens`` limits training alone."""
        return ReadingRules(max_resume_tokens=self.max_resume_tokens, is_identity_masked=self.mask_identity)

    @property
    def training_rules(self) -> ReadingRules:
        """Returns how the run itself reads: attacks stay in, as a lesson, and texts are masked beforehand."""
        return ReadingRules(
            self.max_prompt_tokens,
            self.max_resume_tokens,
            is_identity_masked=False,
            are_instructions_removed=False,
        )

    @property
    def is_scoring_trained(self) -> bool:
        """Returns whether any loss on the distribution of the score has weight."""
        return max(self.cross_entropy_weight, self.squared_error_weight, self.ranking_weight) > 0


def load_config(path: Path | None) -> FineTuningConfig:
    """Reads a YAML mapping of ``FineTuningConfig``'s fields; what it does not name keeps its default.

    Args:
        path: the file, or None for the defaults.

    Raises:
        SettingsInvalid: the file cannot be read, or a key is unknown, unparsable or out of range; names it.
    """
    return parse_config({} if path is None else read_mapping(path), str(path))


def read_mapping(path: Path) -> dict[str, Any]:
    """Reads a YAML (or JSON) file that holds one mapping.

    Raises:
        SettingsInvalid: it cannot be read or holds something else.
    """
    try:
        content: Any = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsInvalid(f"{path}: is no readable YAML file") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsInvalid(f"{path}: holds no mapping of names to values")
    return content


def parse_config(fields: dict[str, Any], source: str) -> FineTuningConfig:
    """Builds a config from plain values.

    Args:
        fields: ``FineTuningConfig``'s, by name.
        source: where they come from, for errors.

    Raises:
        SettingsInvalid: a name is unknown, or a value unparsable or out of range; names it.
    """
    strict = with_config(ConfigDict(extra="forbid"))(FineTuningConfig)
    try:
        config = TypeAdapter(strict).validate_python(fields)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}"
            for item in error.errors(include_url=False)
        )
        raise SettingsInvalid(f"{source}: {problems}") from error
    if not config.is_scoring_trained and config.language_model_weight == 0:
        raise SettingsInvalid(f"{source}: every loss has weight 0, so there is nothing to learn")
    return config


def plain_fields(config: FineTuningConfig) -> dict[str, Any]:
    """Returns the fields as JSON and YAML can hold them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(config).items()
    }
