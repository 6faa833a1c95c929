"""The scoring engine: one thread owns the model; callers submit pairs and await their scores.

A request's life: ``score`` reserves a place in the queue, tokenises off the event loop, and waits. The
model thread asks the planner for the next batch, finds or computes the job prefixes, runs one forward
pass, reads the distributions out and resolves the callers' futures.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.contracts.adapters import Canary, SwitchReport
from services.contracts.engine_observer import EngineObserver
from services.contracts.engine_settings import EngineSettings
from services.contracts.errors import EngineClosed, FieldViolation, InvalidInput, ScoringFailed
from services.contracts.outcomes import InputFault, Stage
from services.contracts.scoring import PairRequest, PairScore, StageSeconds
from services.scoring.engine.adapter_switch import AdapterSwitch, load_adapter
from services.scoring.engine.batch_planner import BatchLimits, BatchPlan, Candidate, plan_batch
from services.scoring.engine.batch_scorer import BatchScorer, LoadedAdapter, ScoredBatch, build_pair_score
from services.scoring.engine.explanation import ExplanationTask, ExplanationWriter
from services.scoring.engine.pair_queue import PairQueue, WaitingPair
from services.scoring.engine.throughput import ThroughputMeter
from services.scoring.reading.pair_reader import PairReader, ReadPair
from services.scoring.reading.text_encoder import TextEncoder
from services.scoring.reading.texts.legibility import UNREADABLE_TEXT

log = logging.getLogger(__name__)

# One thread tokenises while another waits for the interpreter; the model needs the other cores.
_NUM_ENCODER_THREADS = 2
_EXPLANATION_POLL_SECONDS = 0.01
_WARM_UP_TEXTS = ("A job.", "A resume.")


class ScoringEngine:
    """Implements ``services.contracts.engine.PairScorer`` with the real model.

    Args:
        scorer: computes batches; used by the model thread alone once started.
        settings: how to read and queue.
    """

    def __init__(
        self,
        scorer: BatchScorer,
        encoder: TextEncoder,
        settings: EngineSettings,
        limits: BatchLimits,
        observer: EngineObserver,
    ) -> None:
        self._scorer = scorer
        self._encoder = encoder
        self._settings = settings
        self._limits = limits
        self._observer = observer
        self._queue = PairQueue(settings.max_queued_pairs, observer.on_queue_changed)
        self._encoders = ThreadPoolExecutor(_NUM_ENCODER_THREADS, thread_name_prefix="encode")
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._switch = AdapterSwitch(scorer, scorer.adapter)
        self._reader = self._reader_of(scorer.adapter)
        self._explanations = ExplanationWriter(scorer, encoder, self._reader.before_explanation)
        self._busy_since: float | None = None
        self._throughput = ThroughputMeter()
        self._failure: BaseException | None = None

    @property
    def active_adapter_digest(self) -> str:
        """Returns the digest of the adapter that new requests are computed with, or "base"."""
        return self._switch.active.identity.adapter_digest

    @property
    def num_queued(self) -> int:
        """Returns the pairs accepted and not yet taken by the model thread."""
        return self._queue.num_admitted

    def start(self) -> None:
        """Warms the model up and starts its thread.

        Raises:
            ScoringFailed: the model cannot compute even one pair.
        """
        self._report_adapter(self._scorer.adapter)
        warm_up = self._reader.read(*_WARM_UP_TEXTS)
        outcome = self._scorer.score([warm_up.prompt]).outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        self._thread.start()

    def close(self, timeout_seconds: float | None = None) -> bool:
        """Refuses new pairs, finishes the admitted ones and ends the thread.

        Args:
            timeout_seconds: how long to wait; None waits for all.

        Returns:
            Whether everything was finished; what was not is answered with EngineClosed.
        """
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)
        is_finished = not self._thread.is_alive()
        self._queue.fail_all(EngineClosed("the engine stopped before this pair was computed"))
        self._switch.close(EngineClosed("the engine stopped before the adapter changed"))
        self._encoders.shutdown(wait=is_finished, cancel_futures=True)
        return is_finished

    def seconds_since_progress(self) -> float:
        """Returns how long the model thread has been at one step: 0 when idle, infinite when it died."""
        if self._failure is not None:
            return math.inf
        busy_since = self._busy_since
        return 0.0 if busy_since is None else time.monotonic() - busy_since

    async def score(self, request: PairRequest) -> PairScore:
        """Scores one pair; see ``PairScorer.score`` for what it raises."""
        self._queue.admit(request.deadline)
        try:
            started, reader = time.monotonic(), self._reader
            read = await self._read(request, reader)
            if self._settings.unreadable_texts == "refuse" and UNREADABLE_TEXT in read.flags:
                raise InvalidInput(
                    InputFault.UNREADABLE_TEXT,
                    [FieldViolation("resume", "less than half of it can be read as words")],
                )
            pair = WaitingPair(request, read, reader.rules, time.monotonic() - started, started)
        except BaseException:
            self._queue.release()
            raise
        self._observer.on_stage(Stage.ENCODE, pair.encode_seconds)
        self._queue.put(pair)
        return await asyncio.wrap_future(pair.outcome)

    async def explain(
        self, request: PairRequest, score: PairScore, max_tokens: int
    ) -> AsyncGenerator[str, None]:
        """Streams the model's words about a scored pair; see ``PairScorer.explain``."""
        if self._failure is not None or not self._thread.is_alive():
            raise EngineClosed("the engine accepts no more work")
        read = await self._read(request, self._reader)
        task = ExplanationTask(read.prompt, score, max_tokens)
        self._explanations.add(task)
        self._queue.wake()
        try:
            while True:
                while task.pieces.empty():
                    if not self._thread.is_alive():
                        raise EngineClosed("the engine stopped before the explanation ended")
                    await asyncio.sleep(_EXPLANATION_POLL_SECONDS)
                piece = task.pieces.get_nowait()
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            task.is_abandoned = True

    async def switch_adapter(
        self, folder: Path | None, version: str = "", canaries: Sequence[Canary] = ()
    ) -> SwitchReport:
        """Changes the adapter; see ``AdapterHost.switch_adapter``."""
        base_model = self._switch.active.identity.base_model
        adapter = await asyncio.to_thread(load_adapter, self._scorer.model, base_model, folder, version)
        # One pair even without canaries: an adapter that yields no finite score must not be activated.
        texts: list[tuple[str, str, float | None]] = [(*_WARM_UP_TEXTS, None)]
        texts += [(canary.job_description, canary.resume, canary.score) for canary in canaries]
        # As the trainer read them, whatever the settings of this process say.
        reader = PairReader(self._encoder, adapter.rules)
        prompts = [
            ((await asyncio.to_thread(reader.read, job, resume)).prompt, score)
            for job, resume, score in texts
        ]
        done = self._switch.request(adapter, prompts)
        self._queue.wake()
        return await asyncio.wrap_future(done)

    def _reader_of(self, adapter: LoadedAdapter) -> PairReader:
        return PairReader(self._encoder, self._settings.rules_for(adapter.rules))

    async def _read(self, request: PairRequest, reader: PairReader) -> ReadPair:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._encoders, reader.read, request.job_description, request.resume
        )

    def _run(self) -> None:
        try:
            while True:
                self._busy_since = None
                batch = self._queue.take(self._plan, is_idle=self._has_nothing_else)
                if batch is None:
                    return
                self._busy_since = time.monotonic()
                if batch:
                    self._compute(batch)
                self._advance_switch()
                self._explanations.advance(self._switch.active)
        except BaseException as error:
            # A bug: stop taking work, so that liveness fails and the process is restarted.
            self._failure = error
            log.exception("the model thread died")
            self._queue.close()
            self._queue.fail_all(EngineClosed("the model thread died"))
            self._switch.close(EngineClosed("the model thread died"))

    def _plan(self, waiting: Sequence[WaitingPair], now: float) -> BatchPlan:
        is_cached = self._scorer.is_prefix_cached
        candidates = [
            Candidate(
                prefix=pair.prompt.prefix_digest,
                num_prefix_tokens=len(pair.prompt.prefix),
                num_suffix_tokens=len(pair.prompt.suffix),
                is_prefix_cached=is_cached(pair.prompt.prefix_digest),
                waited_seconds=now - pair.accepted_at,
            )
            for pair in waiting
        ]
        return plan_batch(candidates, self._limits)

    def _compute(self, batch: Sequence[WaitingPair]) -> None:
        started = time.monotonic()
        # From here on a caller can no longer withdraw its pair.
        batch = [pair for pair in batch if pair.outcome.set_running_or_notify_cancel()]
        batch = [pair for pair in batch if self._is_read_as_now(pair)]
        if not batch:
            return
        adapter = self._scorer.adapter
        self._queue.num_computing = len(batch)
        try:
            scored = self._scorer.score([pair.prompt for pair in batch])
        except BaseException:
            # They are no longer in the queue, and so nobody else would answer them.
            for pair in batch:
                pair.outcome.set_exception(EngineClosed("the model thread died"))
            raise
        finally:
            self._queue.num_computing = 0
        self._observe(scored)
        self._measure_throughput(batch, scored, started)
        for pair, outcome, is_hit in zip(batch, scored.outcomes, scored.prefix_hits, strict=True):
            seconds = StageSeconds(
                queue=started - pair.accepted_at - pair.encode_seconds,
                encode=pair.encode_seconds,
                forward=scored.forward_seconds,
                readout=scored.readout_seconds,
            )
            self._observer.on_stage(Stage.QUEUE, seconds.queue)
            if isinstance(outcome, Exception):
                pair.outcome.set_exception(outcome)
            else:
                score = build_pair_score(pair, outcome, adapter, seconds, is_prefix_cached=is_hit)
                self._observer.on_score(score.score, score.num_prompt_tokens)
                pair.outcome.set_result(score)

    def _is_read_as_now(self, pair: WaitingPair) -> bool:
        """Reads a pair again that was read by the rules of the adapter before; returns whether it can be."""
        if pair.rules == self._reader.rules:
            return True
        try:
            pair.read = self._reader.read(pair.request.job_description, pair.request.resume)
        except (InvalidInput, ScoringFailed) as error:
            pair.outcome.set_exception(error)
            return False
        pair.rules = self._reader.rules
        return True

    def _observe(self, scored: ScoredBatch) -> None:
        self._observer.on_batch(len(scored.outcomes), scored.num_tokens, scored.num_padding_tokens)
        self._observer.on_stage(Stage.FORWARD, scored.forward_seconds)
        self._observer.on_stage(Stage.READOUT, scored.readout_seconds)

    def _measure_throughput(self, batch: Sequence[WaitingPair], scored: ScoredBatch, started: float) -> None:
        throughput = self._throughput
        oldest = min(pair.accepted_at for pair in batch)
        throughput.note_batch(
            len(batch), scored.num_tokens, scored.forward_seconds, oldest, started, time.monotonic()
        )
        self._queue.seconds_per_pair = throughput.seconds_per_pair
        # One batch from now there will be room again.
        self._queue.retry_after_seconds = self._limits.max_tokens / max(throughput.tokens_per_second, 1.0)

    def _has_nothing_else(self) -> bool:
        return self._switch.is_idle and self._explanations.is_idle

    def _advance_switch(self) -> None:
        changed = self._switch.advance()
        if changed is not None:
            if self._settings.rules_for(changed.rules) != self._reader.rules:
                self._reader = self._reader_of(changed)
            self._report_adapter(changed)

    def _report_adapter(self, adapter: LoadedAdapter) -> None:
        named = adapter.identity
        self._observer.on_adapter(
            named.adapter_digest, named.adapter_version, named.base_model, adapter.reference
        )
