"""Which loss, and which read-out of it, scores best: ``python -m tests.programs.benchmarks.objectives``.

Trains one adapter a variant on the same brief invented pairs, with the same seed and number of steps, and
scores the same held-out ones. Brief, because whole texts take hours on two cores until any variant learns
(docs/training.md). Small: it ranks variants that are far apart, not ones that are close.
"""

import argparse
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from services.adapters.adapter_folder import read_adapter
from services.contracts.scoring import ScoreDistribution, category_of
from services.process.settings import load_settings
from services.scoring.model.loading.base_model import BaseModel, load_base_model
from services.scoring.model.score_model import ScoreModel, TreeRow
from services.scoring.reading.prompt import PromptBuilder
from services.scoring.reading.score_scale import NUM_READOUT_ROWS, distribution_from_logits, find_score_tokens
from services.scoring.reading.text_encoder import TextEncoder
from tests.programs.benchmarks.report.machine import describe_machine
from tests.programs.benchmarks.report.results_file import RESULTS_FILE, add
from training.configuration import parse_config
from training.figures.evaluation import rank_correlation, roc_auc
from training.learning.fine_tuning import TrainingData, fine_tune
from training.pairs.dataset import LabelledPair, Pair
from training.synthetic.brief_pairs import generate_brief_pairs

_COMMON = {
    "learning_rate": 1e-3,
    "epochs": 1,
    "batch_size": 12,
    "gradient_accumulation_steps": 1,
    "first_layer": 4,
    "dropout": 0.0,
    "warm_up_steps": 10,
    "validation_share": 0,
    "tensorboard": False,
    "reference_pairs": 0,
}
_ONLY_WORDS = {"cross_entropy_weight": 0, "squared_error_weight": 0, "ranking_weight": 0}
BASE_ALONE = "base model alone"
VARIANTS: dict[str, dict[str, Any]] = {
    BASE_ALONE: {},
    "default (all three)": {},
    "softened cross-entropy": {"squared_error_weight": 0, "ranking_weight": 0},
    "squared error": {"cross_entropy_weight": 0, "ranking_weight": 0},
    "written answer (the guide's)": {"language_model_weight": 1, **_ONLY_WORDS},
    "default + augmentation": {"augmentation_share": 0.5},
    "default + curriculum": {"curriculum": True, "epochs": 2},
    "default, two epochs": {"epochs": 2},
    "default + tasks": {"tasks": ["skill_extraction", "experience_level", "education_match"]},
}
# The head is a linear fit of 640 numbers; more pairs take minutes of each variant.
_NUM_HEAD_PAIRS = 480


def labelled(rows: Sequence[dict[str, Any]]) -> list[LabelledPair]:
    return [
        LabelledPair(
            Pair(number, row["resume"], row["job_description"], row),
            float(row["score"]),
            category_of(row["score"]),
        )
        for number, row in enumerate(rows, 1)
    ]


def greedy_score(distribution: ScoreDistribution) -> float:
    """Returns the score that greedy decoding writes: the likeliest first digit, then the likeliest next."""
    probabilities = np.array(distribution.probabilities)
    starts = np.array([int(str(score)[0]) for score in range(len(probabilities))])
    first = int(np.argmax([probabilities[starts == digit].sum() for digit in range(10)]))
    return float(np.argmax(np.where(starts == first, probabilities, -1.0)))


def score_all(
    base: BaseModel, adapter: Path | None, pairs: Sequence[LabelledPair]
) -> tuple[list[ScoreDistribution], NDArray[np.float32]]:
    """Returns each pair's distribution and the last hidden state behind its prompt."""
    encoder = TextEncoder(base.tokenizer)
    model, prompts = ScoreModel(base, find_score_tokens(encoder)), PromptBuilder(encoder, 2048)
    if adapter is not None:
        model.lora.activate(model.lora.load(read_adapter(adapter)))
    hidden: list[NDArray[np.float32]] = []
    hook = base.model.model.norm.register_forward_hook(
        lambda _module, _inputs, output: hidden.append(output[0, -NUM_READOUT_ROWS].float().numpy())
    )
    distributions, states = [], []
    for pair in pairs:
        prompt = prompts.build(pair.pair.job_description, pair.pair.resume)
        logits = model.score_tree_logits([TreeRow(None, (*prompt.prefix, *prompt.suffix))])[0]
        distributions.append(ScoreDistribution(tuple(distribution_from_logits(logits).tolist())))
        states.append(hidden[-1])
    hook.remove()
    return distributions, np.stack(states)


def figures(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> dict[str, float | None]:
    return {
        "mae": round(float(np.abs(scores - labels).mean()), 2),
        "spearman": _rounded(rank_correlation(labels, scores)),
        "roc_auc": _rounded(roc_auc(labels, scores)),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def compare(
    base: BaseModel, adapter: Path | None, training: list[LabelledPair], held_out: list[LabelledPair]
) -> dict[str, Any]:
    """Returns the figures of each read-out of one adapter, and of a ridge head on its last hidden state."""
    labels = np.array([pair.score for pair in held_out])
    distributions, states = score_all(base, adapter, held_out)
    seen = training[:_NUM_HEAD_PAIRS]
    _, seen_states = score_all(base, adapter, seen)
    head = RidgeCV(np.logspace(0, 5, 11)).fit(seen_states, [pair.score for pair in seen])
    return {
        "greedy": figures(labels, np.array([greedy_score(found) for found in distributions])),
        "mean": figures(labels, np.array([found.mean for found in distributions])),
        "median": figures(labels, np.array([float(found.median) for found in distributions])),
        "ridge head": figures(labels, np.clip(head.predict(states), 0, 100)),
    }


def run(num_pairs: int, num_held_out: int, variants: Sequence[str]) -> None:
    """Measures variants; each replaces its own entry in the results file as soon as it is there."""
    spec = load_settings()
    training = labelled(list(generate_brief_pairs(num_pairs, seed=31)))
    held_out = labelled(list(generate_brief_pairs(num_held_out, seed=32)))
    size = f"{num_pairs} pairs, {num_held_out} held out"
    for name in variants:
        settings = {} if name == BASE_ALONE else {**_COMMON, **VARIANTS[name]}
        with tempfile.TemporaryDirectory() as folder:
            adapter = Path(folder) if settings else None
            if adapter is not None:
                config = parse_config(settings, name)
                fine_tune(load_base_model(spec), TrainingData(training), adapter, config)
            read_outs = compare(load_base_model(spec), adapter, training, held_out)
        _show(name, read_outs)
        stamp = {"date": datetime.now(UTC).date().isoformat(), "machine": describe_machine()}
        entry = {**stamp, "settings": settings, "read_outs": read_outs}
        add(RESULTS_FILE.with_name(f"objectives-{spec.base_model}.json"), size, name, entry)


def _show(name: str, found: dict[str, Any]) -> None:
    print(f"\n{name}")
    for read_out, values in found.items():
        print(
            f"  {read_out:<12}" + "".join(f"{key} {value!s:<9}" for key, value in values.items()), flush=True
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=960)
    parser.add_argument("--held-out", type=int, default=120)
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    chosen = parser.parse_args()
    run(chosen.pairs, chosen.held_out, chosen.variants)
