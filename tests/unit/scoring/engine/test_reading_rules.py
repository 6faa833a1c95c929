"""An engine reads as its adapter says, and canaries as the trainer read them."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.adapters.canaries import read_canaries
from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.errors import InvalidInput
from services.contracts.reading import PLAIN_RULES, ReadingRules
from services.contracts.scoring import PairRequest
from services.scoring.engine.factory import assemble_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.score_model import ScoreModel
from tests.doubles.adapters import make_adapter

RESUME = "".join(f"Cared for {number} patients on two wards. " for number in range(10, 50))
REQUEST = PairRequest("1", "We look for a nurse.", RESUME)
SHORT = ReadingRules(max_resume_tokens=64)


@pytest.fixture(scope="module")
def folders(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("adapters")
    return [
        make_adapter(root / str(seed), cache_dir, seed, rules=rules)
        for seed, rules in enumerate((SHORT, PLAIN_RULES))
    ]


def start(base: BaseModel, adapter: Path, **changes: Any) -> ScoringEngine:
    spec = EngineSettings.of(
        ModelSettings(base_model=base.name, model_cache_dir=Path()),
        adapter,
        **{"mask_identity": False} | changes,
    )
    engine = assemble_engine(base, spec.having(**changes), SilentObserver())
    engine.start()
    return engine


@pytest.fixture
def stalled_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Holds every forward pass of the model thread until the event is set."""
    go_on = threading.Event()
    compute = ScoreModel.score_tree_logits

    def wait_and_compute(model: ScoreModel, rows: Any) -> Any:
        assert threading.current_thread().name != "model" or go_on.wait(10)
        return compute(model, rows)

    monkeypatch.setattr(ScoreModel, "score_tree_logits", wait_and_compute)
    yield go_on
    go_on.set()


async def test_a_change_of_adapter_changes_how_much_is_read(
    tiny_gemma_3: BaseModel, folders: list[Path]
) -> None:
    engine = start(tiny_gemma_3, folders[0])
    short = await engine.score(REQUEST)
    await engine.switch_adapter(folders[1], "v2", read_canaries(folders[1]))
    whole = await engine.score(REQUEST)
    engine.close()

    assert short.num_truncated_tokens > 0
    assert "truncated" in short.flags
    assert whole.num_truncated_tokens == 0


async def test_the_settings_of_a_scorer_go_before_the_adapters_rules(
    tiny_gemma_3: BaseModel, folders: list[Path]
) -> None:
    engine = start(tiny_gemma_3, folders[0], max_resume_tokens=0, mask_identity=True)
    score = await engine.score(REQUEST)
    engine.close()

    assert score.num_truncated_tokens == 0
    assert score.is_identity_masked


async def test_a_pair_that_waited_through_a_change_is_read_again(
    tiny_gemma_3: BaseModel, folders: list[Path], stalled_model: threading.Event
) -> None:
    engine = start(tiny_gemma_3, folders[0], batch_token_budget=64)
    waiting = [asyncio.create_task(engine.score(REQUEST)) for _ in range(6)]
    async with asyncio.timeout(10):
        while engine.num_queued < 5:  # one is being computed
            await asyncio.sleep(0.01)
    change = asyncio.create_task(engine.switch_adapter(folders[1], "v2"))
    await asyncio.sleep(0.5)
    stalled_model.set()
    await change
    scores = [await each for each in waiting]
    alone = await engine.score(REQUEST)
    engine.close()

    assert {score.adapter_version for score in scores} == {"", "v2"}
    for score in scores:
        assert (score.num_truncated_tokens == 0) is (score.adapter_version == "v2")
    assert next(score for score in scores if score.adapter_version == "v2").score == alone.score


UNREADABLE = PairRequest("1", "We look for a nurse.", "(cid:901)(cid:902)(cid:903)" * 30)


async def test_of_a_text_that_cannot_be_read_nothing_is_known(
    tiny_gemma_3: BaseModel, folders: list[Path]
) -> None:
    engine = start(tiny_gemma_3, folders[0])
    try:
        score = await engine.score(UNREADABLE)
    finally:
        engine.close()

    assert "unreadable_text" in score.flags
    assert "low_confidence" in score.flags
    assert (score.distribution.percentile(10), score.distribution.percentile(90)) == (10, 90)
    assert score.reading.readable_share < 0.5


async def test_or_it_is_refused_where_the_settings_say_so(
    tiny_gemma_3: BaseModel, folders: list[Path]
) -> None:
    engine = start(tiny_gemma_3, folders[0], unreadable_texts="refuse")
    try:
        with pytest.raises(InvalidInput, match="resume: less than half of it can be read"):
            await engine.score(UNREADABLE)
        assert (await engine.score(REQUEST)).flags == ("truncated",)
    finally:
        engine.close()
