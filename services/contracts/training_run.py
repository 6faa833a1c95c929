"""What trainer and training run tell each other: the files of a run's folder, and what stands in them.

The two are processes of their own and never import each other.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from services.contracts.whole_files import write_whole

#: Of the run's folder: what to do, and the labelled pairs to learn from and to compare on.
JOB_FILE = "job.json"
DATA_FILE = "data.jsonl"
HELD_OUT_FILE = "held_out.jsonl"
#: The adapter's folder in it; the next three lie there.
ADAPTER_FOLDER = "adapter"
PROGRESS_FILE = "progress.json"
COMPARISON_FILE = "comparison.json"
CHECKPOINTS_FOLDER = "checkpoints"


@dataclass(frozen=True, slots=True)
class RunFile:
    """A dataclass that is a JSON file of a run."""

    def write(self, path: Path) -> None:
        """Writes the file whole or not at all."""
        write_whole(path, json.dumps(asdict(self), indent=2, default=str) + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads the file.

        Raises:
            OSError: there is none that can be read.
            ValueError: it is no such file; names the field that is missing, unknown or of another type.
        """
        return cls.from_json(path.read_bytes())

    @classmethod
    def from_json(cls, content: bytes | str) -> Self:
        """Reads a file's content; see ``read``."""
        strict = with_config(ConfigDict(extra="forbid", strict=True))(cls)
        try:
            return TypeAdapter(strict).validate_json(content)
        except ValidationError as error:
            item = error.errors(include_url=False, include_input=False)[0]
            raise ValueError(f"{'.'.join(map(str, item['loc']))}: {item['msg']}".lstrip(": ")) from error


@dataclass(frozen=True, slots=True)
class TrainingJob(RunFile):
    """What a training process is to do.

    Attributes:
        data: JSON lines of labelled pairs.
        output: the adapter's folder.
        validation: JSON lines to choose the best checkpoint by, or None to split some off.
        initial_adapter: adapter to go on from, or None.
        held_out: JSON lines of labelled pairs to compare the adapter on with the one it started from
            (``initial_adapter``, or the base model alone), or None for no comparison. They are scored as
            scorers do; what came of it is a ``Comparison`` in the adapter's folder.
        config: fields of ``training.configuration.FineTuningConfig``.
    """

    data: Path
    output: Path
    validation: Path | None = None
    initial_adapter: Path | None = None
    held_out: Path | None = None
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress(RunFile):
    """How far a training process is.

    Attributes:
        state: of the process.
        message: what it does, or the name of the error that ended it.
        num_steps: of training in all, once it has ended well.
        validation_loss: of the adapter that it gave.
    """

    state: Literal["RUNNING", "SUCCEEDED", "FAILED"]
    message: str = ""
    num_steps: int | None = None
    validation_loss: float | None = None


@dataclass(frozen=True, slots=True)
class AdapterFigures:
    """How one adapter does on the held-out pairs.

    Attributes:
        adapter_digest: what its scores name, ``base`` for the base model alone.
        mean_absolute_error: in points.
        spearman: rank correlation; None where labels or scores are all alike.
        expected_calibration_error: in points.
        negative_log_likelihood: of the labels, mean, in nats.
        name_change: mean absolute change of a score when the name above the resume tells another sex or race,
            without masking, in points.
        injection_rise: mean rise of a score when the resume speaks to the scorer, in points.
    """

    adapter_digest: str
    mean_absolute_error: float
    spearman: float | None
    expected_calibration_error: float
    negative_log_likelihood: float
    name_change: float
    injection_rise: float


@dataclass(frozen=True, slots=True)
class Comparison(RunFile):
    """Both adapters on the same pairs.

    Attributes:
        num_pairs: pairs that were scored.
        num_left_out: pairs that no scorer takes, such as one whose resume is unreadable.
        active: the adapter that training started from.
        candidate: the adapter that it gave.
    """

    num_pairs: int
    num_left_out: int
    active: AdapterFigures
    candidate: AdapterFigures
