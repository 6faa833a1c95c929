"""Changes the adapter between two batches, once its canaries came out as its trainer stored them."""

import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path

from services.adapters.adapter_folder import read_adapter
from services.contracts.adapters import CANARY_TOLERANCE, SwitchReport
from services.contracts.errors import AdapterIncompatible
from services.contracts.scoring import BASE_ADAPTER_DIGEST
from services.scoring.engine.batch_scorer import BatchScorer, LoadedAdapter, ModelIdentity
from services.scoring.model.device_errors import PASS_ERRORS, raise_if_device_is_lost
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.prompt import Prompt


class _Switch:
    """One change under way."""

    def __init__(self, adapter: LoadedAdapter, canaries: Iterable[tuple[Prompt, float | None]]) -> None:
        self.adapter = adapter
        self.canaries = deque(canaries)
        self.max_error = 0.0
        self.done: Future[SwitchReport] = Future()


class AdapterSwitch:
    """Holds the active adapter and the changes that wait; ``advance`` is the model thread's.

    Attributes:
        active: what new batches are computed with.

    Args:
        active: the adapter to start with.
    """

    def __init__(self, scorer: BatchScorer, active: LoadedAdapter) -> None:
        self.active = active
        self._scorer = scorer
        self._waiting: deque[_Switch] = deque()
        self._lock = threading.Lock()
        self._closed: Exception | None = None

    @property
    def is_idle(self) -> bool:
        """Returns whether no change is under way."""
        return not self._waiting

    def request(
        self, adapter: LoadedAdapter, canaries: Iterable[tuple[Prompt, float | None]]
    ) -> "Future[SwitchReport]":
        """Asks for a change; may be called from any thread.

        Args:
            canaries: prompts with the scores they must have; None asks for any finite one.
        """
        switch = _Switch(adapter, canaries)
        with self._lock:
            if self._closed is not None:
                switch.done.set_exception(self._closed)
            else:
                self._waiting.append(switch)
        return switch.done

    def advance(self) -> LoadedAdapter | None:
        """Scores one canary, or changes the adapter; returns the adapter if it was changed.

        One canary at a time: requests never wait for more than one small forward pass.
        """
        if not self._waiting:
            return None
        switch = self._waiting[0]
        if switch.canaries:
            prompt, expected = switch.canaries.popleft()
            complaint = self._try_canary(switch, prompt, expected)
            if complaint is not None:
                self._waiting.popleft()
                name = switch.adapter.identity.adapter_digest[:12]
                switch.done.set_exception(AdapterIncompatible(f"adapter {name}: {complaint}"))
            return None
        self._waiting.popleft()
        started = time.perf_counter()
        previous, self.active = self.active, switch.adapter
        self._scorer.use(self.active)
        pause = time.perf_counter() - started
        switch.done.set_result(
            SwitchReport(
                adapter_digest=self.active.identity.adapter_digest,
                previous_digest=previous.identity.adapter_digest,
                pause_seconds=pause,
                max_canary_error=switch.max_error,
            )
        )
        return self.active

    def close(self, error: Exception) -> None:
        """Answers the waiting and all later changes with an error."""
        with self._lock:
            self._closed = error
            waiting, self._waiting = self._waiting, deque()
        for switch in waiting:
            if not switch.done.done():
                switch.done.set_exception(error)

    def _try_canary(self, switch: _Switch, prompt: Prompt, expected: float | None) -> str | None:
        """Returns what is wrong, or None."""
        self._scorer.use(switch.adapter)
        try:
            outcome = self._scorer.score([prompt]).outcomes[0]
        except PASS_ERRORS as error:
            raise_if_device_is_lost(error)
            return f"a canary failed ({type(error).__name__})"
        finally:
            self._scorer.use(self.active)
        if isinstance(outcome, Exception):
            return f"a canary failed: {outcome}"
        if expected is None:
            return None
        error_points = abs(outcome.mean - expected)
        switch.max_error = max(switch.max_error, error_points)
        if error_points > CANARY_TOLERANCE:
            return (
                f"a canary's score is {error_points:.1f} points off; at most {CANARY_TOLERANCE} are allowed"
            )
        return None


def load_adapter(model: ScoreModel, base_model: str, folder: Path | None, version: str = "") -> LoadedAdapter:
    """Reads an adapter's folder onto the model's device, without making it active.

    Args:
        model: of the base model it is for.
        folder: the adapter's folder, or None for the base model alone.
        version: the name that results give; empty takes the folder's own.

    Raises:
        AdapterIncompatible: it does not fit the base model.
    """
    if folder is None:
        return LoadedAdapter(ModelIdentity(base_model, BASE_ADAPTER_DIGEST, ""), None)
    adapter = read_adapter(folder)
    weights = model.lora.load(adapter)
    identity = ModelIdentity(base_model, adapter.digest, version or adapter.version)
    return LoadedAdapter(identity, weights, adapter.reference, adapter.rules)
