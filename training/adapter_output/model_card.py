"""The model card of an adapter: what it is, what it was trained on, how good it is, what it is not for."""

from pathlib import Path
from typing import Any

CARD_FILE = "README.md"
_FIGURES = (
    "num_pairs",
    "mae",
    "rmse",
    "pearson",
    "spearman",
    "roc_auc",
    "category_accuracy",
    "interval_coverage",
    "within_job_auc",
    "expected_calibration_error",
    "negative_log_likelihood",
)
_SETTINGS = ("rank", "alpha", "dropout", "learning_rate", "epochs", "max_prompt_tokens", "seed")


def write_card(path: Path, metadata: dict[str, Any]) -> None:
    """Writes a Markdown card.

    Args:
        path: where to.
        metadata: the adapter's ``training_metadata.json``.
    """
    metrics = metadata["metrics"]
    figures = [f"| {name} | {_shown(metrics[name])} |" for name in _FIGURES if name in metrics]
    table = "\n".join(["| figure | value |", "|---|---|", *figures]) if figures else "None were kept out."
    settings = ", ".join(f"{name} {metadata['config'][name]}" for name in _SETTINGS)
    path.write_text(
        f"""---
base_model: {metadata["base_model"]}
library_name: peft
license: gemma
tags: [resume-scoring, lora]
---

# LoRA adapter for resume scoring

Scores from 0 to 100 how well a resume fits a job, on top of
{metadata["base_model"]} (digest {metadata["base_model_digest"][:12]}), with prompt version
{metadata["prompt_version"]} of resume-scorer.

## Training

{metadata["num_pairs"]} labelled pairs (data digest {metadata["data_digest"][:12] or "unknown"}), on
{metadata["created"]}. Settings: {settings}. All of them stand in `training_metadata.json`.

## Figures on validation pairs, whose jobs are not in the training data

{table}

## Use

`resume-scorer score --job job.txt --resume resume.txt` with `SCORER_ADAPTER` set to this folder, or
`peft.PeftModel.from_pretrained(base_model, folder)`.

## Limits

A score is one model's reading of one text, not a decision: a person decides. It repeats the judgement,
and the bias, of those who labelled its training data; audit it on your own data before you rely on it.

## Licence

A derivative of Gemma, which is provided under and subject to the Gemma Terms of Use found at
ai.google.dev/gemma/terms; whoever hands this adapter on hands them on, too.
""",
        "utf-8",
    )


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
