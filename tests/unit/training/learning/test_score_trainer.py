"""The losses: of answers against transformers' own, and each weight of the scoring losses."""

import dataclasses
from pathlib import Path

import pytest
import torch

from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.score_model import ScoreModel, TreeRow
from services.scoring.reading.score_scale import find_score_tokens
from services.scoring.reading.text_encoder import TextEncoder
from tests.unit.training.learnable_pairs import CONFIG, learnable_pairs
from training.configuration import FineTuningConfig
from training.learning.fine_tuning import TrainingData, fine_tune
from training.learning.objectives import log_distribution
from training.learning.score_trainer import ScoreTrainer, answer_loss
from training.planning.batches import AnswerBatch, JobGroup

pytestmark = pytest.mark.filterwarnings("ignore")


def test_the_answer_loss_is_the_language_models_own_over_the_answer(tiny_model: BaseModel) -> None:
    prompts, answers = ((2, 50, 60, 70, 80, 90), (2, 33)), ((300, 310, 106), (400, 106))

    found = answer_loss(tiny_model.model, AnswerBatch(prompts, answers))

    total, count = 0.0, 0
    for prompt, answer in zip(prompts, answers, strict=True):
        labels = torch.tensor([[-100] * len(prompt) + list(answer)])
        alone = tiny_model.model(input_ids=torch.tensor([[*prompt, *answer]]), labels=labels).loss
        total, count = total + alone.item() * len(answer), count + len(answer)
    assert found.item() == pytest.approx(total / count, rel=1e-4)


def test_the_prompt_has_no_part_in_the_answer_loss(tiny_gemma_3: BaseModel) -> None:
    embedded = tiny_gemma_3.model.get_input_embeddings().weight
    loss = answer_loss(tiny_gemma_3.model, AnswerBatch(((2, 50, 60),), ((106,),)))

    # one label: its gradient on the output rows is that of one softmax, which sums to zero over the rows
    (gradient,) = torch.autograd.grad(loss, embedded)

    assert loss.item() == pytest.approx(
        torch.nn.functional.cross_entropy(
            tiny_gemma_3.model(input_ids=torch.tensor([[2, 50, 60]])).logits[:, -1], torch.tensor([106])
        ).item(),
        rel=1e-4,
    )
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", ["cross_entropy_weight", "squared_error_weight", "ranking_weight"])
@pytest.mark.slow
def test_each_weight_of_the_scoring_losses_counts(
    name: str, base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses: dict[float, float] = {}
    group = None
    compute = ScoreTrainer.compute_loss

    def remember(self: ScoreTrainer, model: torch.nn.Module, inputs: dict[str, object], **_: object) -> None:
        nonlocal group
        group = group or inputs["batch"]
        assert isinstance(group, JobGroup)
        losses[weight] = compute(self, model, {"batch": group}).item()
        raise KeyboardInterrupt  # the first loss is all that is asked for

    monkeypatch.setattr(ScoreTrainer, "compute_loss", remember)
    for weight in (0.0, 1.0, 2.0):
        config = dataclasses.replace(CONFIG, epochs=0.1, **{name: weight})
        with pytest.raises(KeyboardInterrupt):
            fine_tune(base, TrainingData(learnable_pairs()), tmp_path / str(weight), config)

    term = losses[1.0] - losses[0.0]
    assert term > 1e-3
    assert losses[2.0] - losses[1.0] == pytest.approx(term, rel=1e-3)


@pytest.mark.slow
def test_the_language_model_loss_teaches_to_write_the_score(base: BaseModel, tmp_path: Path) -> None:
    only_language = FineTuningConfig(
        **dataclasses.asdict(CONFIG)
        | {
            "cross_entropy_weight": 0.0,
            "squared_error_weight": 0.0,
            "ranking_weight": 0.0,
            "language_model_weight": 1.0,
            "validation_share": 0.5,
            "checkpoint_steps": 3,
            "epochs": 10,
        }
    )
    lines: list[str] = []

    fine_tune(
        base, TrainingData(learnable_pairs()), tmp_path / "adapter", only_language, progress=lines.append
    )

    losses = [float(line.rsplit("validation loss ", 1)[1]) for line in lines if "validation loss" in line]
    assert losses[-1] < losses[0] - 1


def test_autocast_leaves_the_read_out_and_its_losses_in_float32(base: BaseModel) -> None:
    encoder = TextEncoder(base.tokenizer)
    score_model = ScoreModel(base, find_score_tokens(encoder))

    with torch.autocast("cpu", torch.bfloat16):
        logits = score_model.differentiable_tree_logits([TreeRow(None, (2, 50, 60, 70))])
        log_probabilities = log_distribution(logits)

    assert logits.dtype == log_probabilities.dtype == torch.float32
    assert not torch.equal(logits, logits.bfloat16().float())
