"""The engine on a tiny random Gemma 3 in float32: a real model, small enough to count bits."""

import asyncio
import dataclasses
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from services.contracts.engine_observer import SilentObserver
from services.contracts.engine_settings import EngineSettings, ModelSettings
from services.contracts.errors import (
    DeadlineExpired,
    EngineClosed,
    EngineOverloaded,
    InvalidInput,
    ScoringFailed,
)
from services.contracts.scoring import BASE_ADAPTER_DIGEST, PairRequest
from services.scoring.engine.factory import assemble_engine
from services.scoring.engine.scoring_engine import ScoringEngine
from services.scoring.model.loading.base_model import BaseModel
from services.scoring.model.score_model import ScoreModel, TreeRow
from tests.doubles.waiting import until

JOBS = [f"Job {number}: we look for a nurse with {number} years of care." for number in range(3)]
RESUMES = [f"Nurse {number}. " + "Cared for patients. " * (number * 7 % 40) for number in range(12)]

BuildEngine = Callable[..., ScoringEngine]


class Recorder(SilentObserver):
    """Remembers what the engine told."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.prefix_hits: list[bool] = []
        self.queue_lengths: list[int] = []

    def on_batch(self, num_pairs: int, num_tokens: int, num_padding_tokens: int) -> None:
        self.batches.append(num_pairs)

    def on_prefix(self, is_hit: bool) -> None:
        self.prefix_hits.append(is_hit)

    def on_queue_changed(self, num_requests: int) -> None:
        self.queue_lengths.append(num_requests)


@pytest.fixture
def build_engine(tiny_gemma_3: BaseModel) -> Iterator[BuildEngine]:
    engines = []

    def build(observer: SilentObserver | None = None, **changes: object) -> ScoringEngine:
        spec = EngineSettings.of(
            ModelSettings(base_model=tiny_gemma_3.name, model_cache_dir=Path()),
            batching_window_seconds=0.02,
            mask_identity=False,
        )
        engine = assemble_engine(tiny_gemma_3, spec.having(**changes), observer or SilentObserver())
        engine.start()
        engines.append(engine)
        return engine

    yield build
    for engine in engines:
        assert engine.close(timeout_seconds=10)


@pytest.fixture
def stalled_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Holds every forward pass until the event is set."""
    go_on = threading.Event()
    compute = ScoreModel.score_tree_logits

    def wait_and_compute(model: ScoreModel, rows: list[TreeRow]) -> object:
        assert threading.current_thread().name != "model" or go_on.wait(10)
        return compute(model, rows)

    monkeypatch.setattr(ScoreModel, "score_tree_logits", wait_and_compute)
    yield go_on
    go_on.set()


def pair(job: str, resume: str, **fields: object) -> PairRequest:
    return dataclasses.replace(PairRequest(f"{job[:5]}/{resume[:9]}", job, resume), **fields)


async def test_a_pair_scores_the_same_bit_for_bit_alone_and_in_any_batch(build_engine: BuildEngine) -> None:
    requests = [pair(job, resume) for job in JOBS for resume in RESUMES]
    alone = [await build_engine(batching_window_seconds=0).score(request) for request in requests[::5]]
    recorder = Recorder()

    together = await asyncio.gather(*map(build_engine(recorder).score, requests))
    without_cache = await asyncio.gather(*map(build_engine(prefix_cache_bytes=0).score, requests[::-1]))

    assert max(recorder.batches) > 5
    assert [score.distribution for score in together[::5]] == [score.distribution for score in alone]
    assert without_cache[::-1] == together
    assert len({score.distribution for score in together}) == len(requests)


async def test_scores_in_a_padded_batch_agree_with_those_alone(build_engine: BuildEngine) -> None:
    requests = [pair(job, resume) for job in JOBS for resume in RESUMES]

    padded = await asyncio.gather(*map(build_engine(batch_layout="padded").score, requests))
    sequential = await asyncio.gather(*map(build_engine(batch_layout="sequential").score, requests))

    assert [a.score for a in padded] == pytest.approx([b.score for b in sequential], abs=1e-3)


async def test_scores_with_and_without_a_shared_prefix_agree(
    build_engine: BuildEngine, tiny_gemma_3: BaseModel
) -> None:
    engine = build_engine()
    scorer = engine._scorer
    prompts = [engine._reader.read(JOBS[0], resume).prompt for resume in RESUMES]

    shared = scorer.score(prompts)
    whole = [scorer.model.score_tree_logits([TreeRow(None, p.prefix + p.suffix)])[0] for p in prompts]

    from services.scoring.reading.score_scale import distribution_from_logits

    for outcome, logits in zip(shared.outcomes, whole, strict=True):
        assert not isinstance(outcome, Exception)
        expected = distribution_from_logits(logits) @ range(101)
        assert outcome.mean == pytest.approx(float(expected), abs=1e-3)


async def test_the_second_resume_of_a_job_finds_its_prefix(build_engine: BuildEngine) -> None:
    recorder = Recorder()
    engine = build_engine(recorder)

    first = await engine.score(pair(JOBS[0], RESUMES[0]))
    second = await engine.score(pair(JOBS[0], RESUMES[1]))

    assert (first.is_prefix_cached, second.is_prefix_cached) == (False, True)
    assert recorder.prefix_hits[-2:] == [False, True]


async def test_a_result_names_what_computed_it_and_where_time_went(build_engine: BuildEngine) -> None:
    engine = build_engine(max_prompt_tokens=160)

    resume = " ".join(f"Cared for people in ward {number}." for number in range(200))
    result = await engine.score(pair(JOBS[0], resume))

    assert (result.base_model, result.adapter_digest) == ("random:tiny-gemma-3", BASE_ADAPTER_DIGEST)
    assert result.num_prompt_tokens == 160
    assert result.num_truncated_tokens > 500
    assert result.flags == ("truncated",)
    assert result.seconds.forward > 0
    assert result.seconds.encode > 0


async def test_overload_is_refused_at_once_with_a_hint(
    build_engine: BuildEngine, stalled_model: threading.Event
) -> None:
    recorder = Recorder()
    engine = build_engine(recorder, max_queued_pairs=3)
    first = asyncio.create_task(engine.score(pair(JOBS[0], RESUMES[0])))
    await until(lambda: recorder.queue_lengths[-1:] == [0])  # the model thread has taken it
    accepted = [asyncio.create_task(engine.score(pair(JOBS[0], resume))) for resume in RESUMES[1:4]]
    await until(lambda: engine.num_queued == 3)

    with pytest.raises(EngineOverloaded) as caught:
        await engine.score(pair(JOBS[0], RESUMES[5]))

    assert caught.value.retry_after_seconds > 0
    stalled_model.set()
    assert len({result.request_id for result in await asyncio.gather(first, *accepted)}) == 4


async def test_late_and_withdrawn_pairs_never_reach_the_model(
    build_engine: BuildEngine, stalled_model: threading.Event
) -> None:
    recorder = Recorder()
    engine = build_engine(recorder)
    first = asyncio.create_task(engine.score(pair(JOBS[0], RESUMES[0])))
    await until(lambda: recorder.queue_lengths[-1:] == [0])
    late = asyncio.create_task(engine.score(pair(JOBS[0], RESUMES[1], deadline=time.monotonic() + 0.05)))
    withdrawn = asyncio.create_task(engine.score(pair(JOBS[0], RESUMES[2])))
    await until(lambda: engine.num_queued == 2)
    await asyncio.sleep(0.1)
    withdrawn.cancel()
    await asyncio.gather(withdrawn, return_exceptions=True)

    stalled_model.set()

    with pytest.raises(DeadlineExpired):
        await late
    await first
    await until(lambda: engine.num_queued == 0)
    assert sum(recorder.batches) == 1


async def test_one_failing_pair_does_not_take_its_batch_with_it(
    build_engine: BuildEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = build_engine(batch_layout="padded")
    poison = engine._reader.read(JOBS[0], RESUMES[3]).prompt.suffix
    compute = ScoreModel.score_tree_logits

    def fail_on_poison(model: ScoreModel, rows: list[TreeRow]) -> object:
        if any(row.suffix == poison for row in rows):
            raise RuntimeError("out of memory")
        return compute(model, rows)

    monkeypatch.setattr(ScoreModel, "score_tree_logits", fail_on_poison)

    outcomes = await asyncio.gather(
        *(engine.score(pair(JOBS[0], resume)) for resume in RESUMES), return_exceptions=True
    )

    assert [index for index, outcome in enumerate(outcomes) if isinstance(outcome, Exception)] == [3]
    assert isinstance(outcomes[3], ScoringFailed)


async def test_bad_input_gives_its_place_back(build_engine: BuildEngine) -> None:
    engine = build_engine(max_queued_pairs=1)

    for _ in range(3):
        with pytest.raises(InvalidInput):
            await engine.score(pair(JOBS[0], " "))

    assert (await engine.score(pair(JOBS[0], RESUMES[0]))).score > 0


async def test_closing_finishes_what_was_accepted_and_refuses_the_rest(build_engine: BuildEngine) -> None:
    engine = build_engine()
    accepted = [asyncio.create_task(engine.score(pair(JOBS[0], resume))) for resume in RESUMES]
    await until(lambda: engine.num_queued > 0 or all(task.done() for task in accepted))

    is_finished = await asyncio.to_thread(engine.close, 10)

    assert is_finished
    assert len({result.request_id for result in await asyncio.gather(*accepted)}) == len(RESUMES)
    with pytest.raises(EngineClosed):
        await engine.score(pair(JOBS[0], RESUMES[0]))


async def test_progress_is_seen_to_stop_in_a_hung_pass(
    build_engine: BuildEngine, stalled_model: threading.Event
) -> None:
    engine = build_engine()
    assert engine.seconds_since_progress() == 0
    waiting = asyncio.create_task(engine.score(pair(JOBS[0], RESUMES[0])))

    await until(lambda: engine.seconds_since_progress() > 0.2)

    stalled_model.set()
    await waiting
    await until(lambda: engine.seconds_since_progress() == 0)


async def read_all(pieces: AsyncIterator[str]) -> list[str]:
    return [piece async for piece in pieces]


async def test_an_explanation_is_streamed_in_pieces_and_scores_go_on_meanwhile(
    build_engine: BuildEngine,
) -> None:
    engine = build_engine()
    request = pair(JOBS[0], RESUMES[0])
    score = await engine.score(request)

    explanation = asyncio.create_task(read_all(engine.explain(request, score, max_tokens=24)))
    others = await asyncio.gather(*(engine.score(pair(JOBS[1], resume)) for resume in RESUMES))
    pieces = await explanation

    assert 1 < len(pieces) <= 24
    assert pieces == await read_all(engine.explain(request, score, max_tokens=24))
    assert len(others) == len(RESUMES)


async def test_a_reader_who_leaves_ends_its_explanation(build_engine: BuildEngine) -> None:
    engine = build_engine()
    request = pair(JOBS[0], RESUMES[0])
    score = await engine.score(request)

    pieces = engine.explain(request, score, max_tokens=512)
    await anext(pieces)
    await pieces.aclose()

    await until(lambda: engine._explanations.is_idle)
