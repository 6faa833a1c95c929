"""What a run trains on, pass after pass: every option changes the plan in its own way."""

import dataclasses
from collections import Counter

import pytest

from services.scoring.reading.text_encoder import TextEncoder
from training.configuration import FineTuningConfig
from training.pairs.dataset import LabelledPair, Pair
from training.pairs.splits import split_off_validation
from training.planning.batches import AnswerBatch, JobGroup, TrainingBatch, batch_from_row
from training.planning.epochs import EpochPlanner, clear_cases, dataset_from_batches

CONFIG = FineTuningConfig(epochs=2, batch_size=4, max_prompt_tokens=512)
FIELDS = {
    "matched_skills": ["Python", "SQL"],
    "experience_level": "senior",
    "education_required": "bachelor",
    "education_held": "master",
    "meets_education": True,
    "reasoning": "Knows the tools.",
}


def pairs(num_jobs: int = 3) -> list[LabelledPair]:
    return [
        LabelledPair(
            Pair(
                1, f"Resume {number} " + "of a person " * number, f"We are looking for worker {job}.", FIELDS
            ),
            score,
            "good",
        )
        for job in range(num_jobs)
        for number, score in enumerate((5.0, 25.0, 50.0, 70.0, 95.0), start=1)
    ]


def plan(encoder: TextEncoder, **changes: object) -> list[TrainingBatch]:
    return EpochPlanner(encoder, dataclasses.replace(CONFIG, **changes)).plan_training(pairs())


def labels_of(batches: list[TrainingBatch]) -> Counter[float]:
    return Counter(label for batch in batches if isinstance(batch, JobGroup) for label in batch.labels)


def prefixes_of(batches: list[TrainingBatch]) -> set[tuple[int, ...]]:
    return {batch.prefix for batch in batches if isinstance(batch, JobGroup)}


def text_of(encoder: TextEncoder, batch: TrainingBatch) -> str:
    assert isinstance(batch, AnswerBatch)
    return encoder.decode(batch.answers[0])


def test_groups_hold_one_job_and_every_pair_once_an_epoch(encoder: TextEncoder) -> None:
    unreadable = LabelledPair(Pair(1, "yes", "\u200b", {}), 42.0, "fair")

    planned = EpochPlanner(encoder, CONFIG).plan_training([*pairs(), unreadable])

    assert labels_of(planned) == dict.fromkeys((5.0, 25.0, 50.0, 70.0, 95.0), 6)
    assert sorted(len(group.labels) for group in planned if isinstance(group, JobGroup)) == [1] * 6 + [4] * 6
    assert len({group.prefix for group in planned if isinstance(group, JobGroup)}) == 3


def test_half_an_epoch_is_half_the_batches(encoder: TextEncoder) -> None:
    assert len(plan(encoder, epochs=0.5)) * 2 == len(plan(encoder, epochs=1.0))
    assert len(plan(encoder, epochs=1.5)) * 2 == len(plan(encoder, epochs=1.0)) * 3


def test_the_same_seed_gives_the_same_plan_and_another_another(encoder: TextEncoder) -> None:
    options = {"augmentation_share": 0.5, "tasks": ("experience_level",)}

    assert plan(encoder, **options) == plan(encoder, **options)
    assert plan(encoder, **options) != plan(encoder, **options, seed=1)


def test_a_curriculum_begins_with_clear_cases_only(encoder: TextEncoder) -> None:
    assert labels_of(plan(encoder, curriculum=True, epochs=1.0)) == {5.0: 3, 25.0: 3, 95.0: 3}
    assert labels_of(plan(encoder, curriculum=True, epochs=2.0))[50.0] == 3


def test_a_curriculum_without_clear_cases_takes_all() -> None:
    middling = [pair for pair in pairs() if 30 <= pair.score <= 80]

    assert clear_cases(middling) == middling


def test_augmentation_changes_texts_and_lowers_the_score_of_a_noisy_resume(encoder: TextEncoder) -> None:
    plain, changed = plan(encoder, epochs=1.0), plan(encoder, epochs=1.0, augmentation_share=1.0)

    assert labels_of(plain).keys() == {5.0, 25.0, 50.0, 70.0, 95.0}
    assert {3.0, 23.0, 48.0, 68.0, 93.0} & labels_of(changed).keys()
    assert labels_of(changed).total() == labels_of(plain).total()
    prefixes = [
        {group.prefix for group in planned if isinstance(group, JobGroup)} for planned in (plain, changed)
    ]
    assert prefixes[1] - prefixes[0]


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("skill_extraction", "Python, SQL"),
        ("experience_level", "senior"),
        ("education_match", "required: bachelor; held: master; met"),
    ],
)
def test_a_task_adds_its_answers(encoder: TextEncoder, task: str, answer: str) -> None:
    planned = plan(encoder, tasks=(task,), task_share=1.0, epochs=1.0)

    added = [batch for batch in planned if isinstance(batch, AnswerBatch)]
    assert sum(len(batch.answers) for batch in added) == len(pairs())
    assert {text_of(encoder, batch) for batch in added} == {answer}
    assert labels_of(planned).total() == len(pairs())


def test_a_task_passes_over_rows_without_its_answer(encoder: TextEncoder) -> None:
    bare = [LabelledPair(Pair(1, "A resume.", "A job.", {}), 50.0, "fair")]
    config = dataclasses.replace(CONFIG, tasks=("skill_extraction", "education_match"), task_share=1.0)

    planned = EpochPlanner(encoder, config).plan_training(bare)

    assert not [batch for batch in planned if isinstance(batch, AnswerBatch)]


def test_the_language_model_loss_stands_on_the_score_and_its_reasoning(encoder: TextEncoder) -> None:
    scoring_off = {"cross_entropy_weight": 0.0, "squared_error_weight": 0.0, "ranking_weight": 0.0}

    planned = plan(encoder, language_model_weight=1.0, **scoring_off, epochs=1.0)

    assert all(isinstance(batch, AnswerBatch) for batch in planned)
    answers = {encoder.decode(answer) for batch in planned for answer in getattr(batch, "answers", ())}
    assert "95\nReasoning: Knows the tools." in answers
    prompt = encoder.decode(planned[0].prompts[0])  # type: ignore[union-attr]
    assert prompt.endswith("Score: ")
    end_of_turn = encoder.token_id("<end_of_turn>")
    assert all(answer[-1] == end_of_turn for batch in planned for answer in getattr(batch, "answers", ()))


def test_answers_of_similar_length_stand_together(encoder: TextEncoder) -> None:
    planned = EpochPlanner(encoder, dataclasses.replace(CONFIG, language_model_weight=1.0)).plan_validation(
        pairs()
    )

    for batch in planned:
        if isinstance(batch, AnswerBatch):
            lengths = [len(prompt) for prompt in batch.prompts]
            assert max(lengths) - min(lengths) <= 8


def test_rows_of_the_data_set_give_the_batches_back(encoder: TextEncoder) -> None:
    planned = plan(encoder, tasks=("skill_extraction",), task_share=1.0)

    stored = dataset_from_batches(planned)

    assert [batch_from_row(row) for row in stored] == planned


def test_validation_shares_no_job_with_training() -> None:
    kept, held_out = split_off_validation(pairs(num_jobs=10), 0.2, seed=0)

    jobs = [{pair.pair.job_description for pair in part} for part in (kept, held_out)]
    assert (len(jobs[0]), len(jobs[1])) == (8, 2)
    assert not jobs[0] & jobs[1]
    assert split_off_validation(pairs(), 0, seed=0) == (pairs(), [])


def test_one_job_alone_is_split_by_rows() -> None:
    kept, held_out = split_off_validation(pairs(num_jobs=1), 0.2, seed=0)

    assert (len(kept), len(held_out)) == (4, 1)


def test_neighbours_in_a_group_change_from_epoch_to_epoch(encoder: TextEncoder) -> None:
    crowd = [
        LabelledPair(Pair(1, "word " * (20 + number), "A job.", {}), float(number), "poor")
        for number in range(16)
    ]

    planned = EpochPlanner(encoder, CONFIG).plan_training(crowd)

    assert len({frozenset(group.labels) for group in planned if isinstance(group, JobGroup)}) > 4


def test_attacks_change_resumes_alone_and_without_them_a_run_stays_as_it_was(encoder: TextEncoder) -> None:
    plain, attacked = plan(encoder, epochs=1.0), plan(encoder, epochs=1.0, attack_share=1.0)

    assert plan(encoder, epochs=1.0, attack_share=0.0) == plain
    assert labels_of(attacked) == labels_of(plain)
    assert prefixes_of(attacked) == prefixes_of(plain)
    assert not suffixes_of(attacked) & suffixes_of(plain)


def suffixes_of(batches: list[TrainingBatch]) -> set[tuple[int, ...]]:
    return {suffix for batch in batches if isinstance(batch, JobGroup) for suffix in batch.suffixes}
