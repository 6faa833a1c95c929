"""Pairs that can wait go in behind everybody else's, one by one."""

import asyncio

from services.contracts.scoring import PairRequest
from services.scoring_api.calls.patient_scorer import PatientScorer
from tests.doubles.scorer import FakeScorer, GatedScorer, fake_score


def pairs(num: int) -> list[PairRequest]:
    return [PairRequest(f"a-{number}", "A job", "A resume") for number in range(num)]


async def test_one_is_in_hand_at_a_time_and_all_are_scored() -> None:
    gated = GatedScorer()
    patient = PatientScorer(gated)
    scoring = [asyncio.create_task(patient.score(pair)) for pair in pairs(12)]
    await gated.until_entered(1)
    await asyncio.sleep(0.05)
    assert len(gated.entered) == 1

    gated.gate.set()

    assert await asyncio.gather(*scoring) == [fake_score(pair) for pair in pairs(12)]


async def test_they_wait_while_others_are_queued() -> None:
    fake = FakeScorer()
    fake.num_queued = 5
    scoring = asyncio.create_task(PatientScorer(fake).score(pairs(1)[0]))
    await asyncio.sleep(0.05)
    assert fake.scored == []

    fake.num_queued = 0
    await scoring

    assert fake.scored == ["a-0"]
