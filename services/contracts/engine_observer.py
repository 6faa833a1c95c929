"""What the engine tells about itself; the process decides what to do with it."""

from typing import Protocol

from services.contracts.outcomes import Stage
from services.contracts.reference import ReferenceFigures


class EngineObserver(Protocol):
    """Is told what the engine does. Called from the model thread and from callers' threads."""

    def on_queue_changed(self, num_requests: int) -> None:
        """The queue now holds this many pairs."""

    def on_batch(self, num_pairs: int, num_tokens: int, num_padding_tokens: int) -> None:
        """One batch was computed; tokens count what the model really processed, padding included."""

    def on_stage(self, stage: Stage, seconds: float) -> None:
        """One stage ended."""

    def on_prefix(self, is_hit: bool) -> None:
        """A job's prefix was looked up."""

    def on_prefix_cache_changed(self, num_bytes: int) -> None:
        """The prefix cache now holds this much."""

    def on_score(self, score: float, num_prompt_tokens: int) -> None:
        """The active adapter gave this score, in points, to a prompt of this length."""

    def on_adapter(
        self, digest: str, version: str, base_model: str, reference: ReferenceFigures | None = None
    ) -> None:
        """This adapter is active from now on; its reference tells what scores and prompts to expect."""


class SilentObserver:
    """Ignores everything."""

    def on_queue_changed(self, num_requests: int) -> None: ...

    def on_batch(self, num_pairs: int, num_tokens: int, num_padding_tokens: int) -> None: ...

    def on_stage(self, stage: Stage, seconds: float) -> None: ...

    def on_prefix(self, is_hit: bool) -> None: ...

    def on_prefix_cache_changed(self, num_bytes: int) -> None: ...

    def on_score(self, score: float, num_prompt_tokens: int) -> None: ...

    def on_adapter(
        self, digest: str, version: str, base_model: str, reference: ReferenceFigures | None = None
    ) -> None: ...
