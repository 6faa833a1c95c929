"""Loss curves of the training that made an adapter, from its metadata."""

import json
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from pydantic import BaseModel, ConfigDict, FiniteFloat, TypeAdapter, ValidationError

from services.adapters.adapter_folder import METADATA_FILE
from services.contracts.errors import AdapterIncompatible
from training.report.plot_style import BLUE, VERMILION, new_figure, tidy


class TrainingStep(BaseModel):
    """What was measured at one step; None where nothing was.

    Attributes:
        step: optimizer steps done.
        loss: of the training pairs since the last measurement.
        eval_loss: of the validation pairs.
        learning_rate: at this step.
    """

    model_config = ConfigDict(frozen=True)

    step: FiniteFloat
    loss: FiniteFloat | None = None
    eval_loss: FiniteFloat | None = None
    learning_rate: FiniteFloat | None = None


def read_history(adapter: Path | None) -> list[TrainingStep]:
    """Reads the ``history`` of an adapter's ``training_metadata.json``.

    Args:
        adapter: its folder, or None for the base model alone.

    Returns:
        The steps in order; empty where there is no adapter, no metadata or no history.

    Raises:
        AdapterIncompatible: the file is damaged or the history is no list of measurements.
    """
    if adapter is None or not (adapter / METADATA_FILE).is_file():
        return []
    try:
        metadata = json.loads((adapter / METADATA_FILE).read_text("utf-8"))
        steps = TypeAdapter(list[TrainingStep]).validate_python(metadata.get("history") or [])
    except (ValidationError, ValueError, AttributeError) as error:
        raise AdapterIncompatible(
            f"adapter {adapter.name}: {METADATA_FILE} has no readable history"
        ) from error
    return sorted(steps, key=lambda step: step.step)


def draw_losses(history: list[TrainingStep]) -> Figure | None:
    """Draws training and validation loss over steps, or nothing where neither was measured."""
    training = [(step.step, step.loss) for step in history if step.loss is not None]
    validation = [(step.step, step.eval_loss) for step in history if step.eval_loss is not None]
    if not training and not validation:
        return None
    figure = new_figure()
    axes = figure.add_subplot()
    tidy(axes)
    curves = (("training", training, BLUE, "-", "."), ("validation", validation, VERMILION, "--", "D"))
    for name, points, colour, style, marker in curves:
        if points:
            steps, losses = zip(*points, strict=True)
            axes.plot(steps, losses, color=colour, linestyle=style, marker=marker, markersize=5, label=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("optimizer step (count)")
    axes.set_ylabel("loss (weighted sum of the objectives)")
    axes.legend(frameon=False)
    return figure
