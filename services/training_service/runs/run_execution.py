"""Carries a run from its labels to a published adapter; every step can be done again after a crash.

PENDING -> its files -> RUNNING -> the training process -> SUCCEEDED -> the gate -> PUBLISHING -> PUBLISHED
"""

import asyncio
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.adapters.adapter_folder import read_adapter
from services.adapters.default_adapter import adapter_folder
from services.contracts.errors import (
    AdapterNotFound,
    AdapterStoreUnreachable,
    BrokerUnreachable,
    ScorerError,
)
from services.contracts.training_run import (
    ADAPTER_FOLDER,
    COMPARISON_FILE,
    DATA_FILE,
    HELD_OUT_FILE,
    JOB_FILE,
    Comparison,
    TrainingJob,
)
from services.contracts.whole_files import write_whole
from services.process.logging import get_logger
from services.process.settings import TrainerSettings
from services.rollout import AdapterAdministration, open_store
from services.training_service.labels.label_store import LabelStore
from services.training_service.metrics import TrainerMetrics
from services.training_service.runs.gate import figures_of_candidate, judge, read_comparison
from services.training_service.runs.run_folder import GATE_FILE, run_folder
from services.training_service.runs.run_store import ENDS, Request, Run, RunState, RunStore
from services.training_service.runs.training_process import TrainingCancelled, TrainingProcess
from services.training_service.runs.training_set import write_training_set

log = get_logger(__name__)

#: A run that takes the whole trainer down with it (memory, say) is given up at last.
MAX_ATTEMPTS = 5
RETRY_SECONDS = 5.0


class RunFailed(ScorerError):
    """A run cannot go on; the text says why, without any text of a record."""


class RunExecution:
    """Carries out runs, one at a time."""

    def __init__(
        self,
        settings: TrainerSettings,
        labels: LabelStore,
        runs: RunStore,
        process: TrainingProcess,
        metrics: TrainerMetrics,
    ) -> None:
        self._settings = settings
        self._labels = labels
        self._runs = runs
        self._process = process
        self._metrics = metrics
        self._administration = AdapterAdministration(settings)
        self._steps = {
            RunState.PENDING: self._prepare,
            RunState.RUNNING: self._train,
            RunState.SUCCEEDED: self._judge,
            RunState.PUBLISHING: self._publish,
        }

    async def carry_out(self, run: Run) -> None:
        """Brings a run to its end, from wherever it stands; waits while the store or Kafka is away."""
        log.info("training run", run=run.run_id, state=run.state, trigger=run.trigger)
        with self._metrics.is_running.track_inprogress():
            while run.state not in ENDS:
                try:
                    await self._steps[run.state](run)
                except (AdapterStoreUnreachable, BrokerUnreachable) as error:
                    log.warning("a training run waits", run=run.run_id, reason=str(error))
                    await asyncio.sleep(RETRY_SECONDS)
                except TrainingCancelled as error:
                    await self._finish(run, RunState.CANCELLED, str(error))
                except (ScorerError, OSError) as error:
                    reason = str(error) if isinstance(error, ScorerError) else type(error).__name__
                    await self._finish(run, RunState.FAILED, reason)
                run = (await asyncio.to_thread(self._runs.latest, 1))[0]

    async def _prepare(self, run: Run) -> None:
        version = await self._administration.active_version() or ""
        initial = await asyncio.to_thread(self._initial_adapter, version)
        await asyncio.to_thread(self._write_job, run, initial)
        await asyncio.to_thread(self._runs.advance, run, RunState.RUNNING, version)

    async def _train(self, run: Run) -> None:
        if run.num_attempts >= MAX_ATTEMPTS:
            raise RunFailed(f"the trainer did not survive {MAX_ATTEMPTS} attempts")
        await asyncio.to_thread(self._runs.count_attempt, run)
        folder = self._folder(run)
        started = time.monotonic()
        try:
            code = await self._process.run(folder / JOB_FILE, folder / ADAPTER_FOLDER, self._is_cancelled)
        except asyncio.CancelledError:
            # A planned restart is no sign that the run is too much for the trainer.
            self._runs.count_attempt(run, -1)
            raise
        self._metrics.job_seconds.observe(time.monotonic() - started)
        if code != 0:
            raise RunFailed(f"the training process ended with exit code {code}; see training.log")
        await asyncio.to_thread(self._runs.advance, run, RunState.SUCCEEDED)

    async def _judge(self, run: Run) -> None:
        folder = self._folder(run)
        comparison = await asyncio.to_thread(read_comparison, folder / ADAPTER_FOLDER / COMPARISON_FILE)
        await asyncio.to_thread(_check_compared, folder / ADAPTER_FOLDER, comparison)
        verdict = judge(comparison)
        disagreement = await asyncio.to_thread(self._labels.disagreement)
        report = {
            "is_passed": verdict.is_passed,
            "reasons": verdict.reasons,
            "comparison": asdict(comparison),
            "rater_disagreement": asdict(disagreement),
        }
        await asyncio.to_thread(write_whole, folder / GATE_FILE, json.dumps(report, indent=2) + "\n")
        self._metrics.verdicts.labels("passed" if verdict.is_passed else "rejected").inc()
        log.info("gate", run=run.run_id, is_passed=verdict.is_passed, reasons=verdict.reasons)
        if verdict.is_passed:
            await asyncio.to_thread(self._runs.advance, run, RunState.PUBLISHING)
        else:
            await self._finish(run, RunState.REJECTED, "; ".join(verdict.reasons))

    async def _publish(self, run: Run) -> None:
        folder = self._folder(run) / ADAPTER_FOLDER
        comparison = await asyncio.to_thread(read_comparison, folder / COMPARISON_FILE)
        await self._check_still_active(run, comparison)
        stored = await self._administration.publish(folder, figures_of_candidate(comparison))
        num_kept = self._settings.trainer_kept_versions
        await asyncio.to_thread(lambda: open_store(self._settings).remove_all_but(num_kept))
        await self._finish(run, RunState.PUBLISHED, stored.version)

    async def _check_still_active(self, run: Run, comparison: Comparison) -> None:
        """Refuses to replace an adapter that the candidate was not compared with."""
        active = await self._administration.active_version() or ""
        if active == run.initial_version:
            return
        stored = await asyncio.to_thread(lambda: open_store(self._settings).find(active) if active else None)
        # Its own version: a crash came between activating it and noting that.
        if stored is None or stored.adapter_digest != comparison.candidate.adapter_digest:
            raise RunFailed("the active adapter was changed during the run")

    async def _finish(self, run: Run, state: RunState, message: str) -> None:
        num_quarantined = await asyncio.to_thread(self._runs.finish, run, state, message)
        if num_quarantined:
            log.warning(
                "labels of two rejected runs are in quarantine", run=run.run_id, count=num_quarantined
            )
        self._metrics.jobs.labels(state.lower()).inc()
        self._metrics.last_run_seconds.set_to_current_time()
        log.info("training run ended", run=run.run_id, state=state, reason=message)

    def _initial_adapter(self, version: str) -> Path | None:
        if not version:
            return adapter_folder(self._settings)
        try:
            store = open_store(self._settings)
            stored = store.find(version)
        except AdapterNotFound as error:
            raise RunFailed("the store lacks the active version") from error
        cache_dir = self._settings.model_cache_dir / "adapters"
        return store.fetch(stored.uri, stored.manifest_digest, cache_dir)

    def _write_job(self, run: Run, initial: Path | None) -> None:
        folder = self._folder(run)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        summary = write_training_set(self._labels, self._settings, run.run_id, folder)
        log.info("training set", run=run.run_id, **asdict(summary))
        job = TrainingJob(
            data=folder / DATA_FILE,
            held_out=folder / HELD_OUT_FILE,
            output=folder / ADAPTER_FOLDER,
            initial_adapter=initial,
            config=training_config(self._settings, initial),
        )
        job.write(folder / JOB_FILE)

    def _folder(self, run: Run) -> Path:
        return run_folder(self._settings.trainer_dir, run.run_id)

    def _is_cancelled(self) -> bool:
        return self._runs.is_requested(Request.CANCEL)


def _check_compared(adapter: Path, comparison: Comparison) -> None:
    if read_adapter(adapter).digest != comparison.candidate.adapter_digest:
        raise RunFailed("the comparison is of another adapter than the one that was trained")


def training_config(settings: TrainerSettings, initial: Path | None) -> dict[str, Any]:
    """Returns the fine-tuning configuration of a job: what the settings name, the library's defaults else.

    Args:
        initial: folder of the adapter to go on from: as much of a resume is read as it reads.
    """
    num_resume = settings.max_resume_tokens
    if num_resume == "auto":
        num_resume = read_adapter(initial).rules.max_resume_tokens if initial is not None else 0
    return {
        "learning_rate": settings.trainer_learning_rate,
        "epochs": settings.trainer_epochs,
        "max_prompt_tokens": settings.trainer_max_prompt_tokens,
        "max_resume_tokens": num_resume,
        "mask_identity": settings.mask_identity,
        "checkpoint_steps": settings.trainer_checkpoint_steps,
        "tensorboard": False,
    }
