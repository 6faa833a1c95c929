"""What crosses a module when the adapter changes while the service runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

#: Points by which a canary's score may differ from its trainer's: another device, layout or compute type
#: moves a score by up to two (docs/numerics.md), another adapter by far more.
CANARY_TOLERANCE = 3.0


@dataclass(frozen=True, slots=True)
class Canary:
    """A pair that is scored before an adapter is trusted.

    Attributes:
        job_description: invented text.
        resume: invented text.
        score: what the trainer computed with the adapter, 0 to 100.
    """

    job_description: str
    resume: str
    score: float


@dataclass(frozen=True, slots=True)
class SwitchReport:
    """What a change of adapter came to.

    Attributes:
        adapter_digest: of the adapter that scores are computed with from now on, or "base".
        previous_digest: of the one before.
        pause_seconds: how long the model thread did nothing but switch.
        max_canary_error: greatest difference of a canary's score, in points; 0 without canaries.
    """

    adapter_digest: str
    previous_digest: str
    pause_seconds: float
    max_canary_error: float


class AdapterHost(Protocol):
    """Computes with one adapter at a time; ``ScoringEngine`` is the real one."""

    @property
    def active_adapter_digest(self) -> str:
        """Digest of the adapter that new requests are computed with, or "base"."""

    async def switch_adapter(
        self, folder: Path | None, version: str = "", canaries: Sequence[Canary] = ()
    ) -> SwitchReport:
        """Loads an adapter beside the active one, proves it on its canaries and changes to it.

        Requests go on meanwhile; each result names the adapter that computed it.

        Args:
            folder: the adapter's folder, or None for the base model alone.
            version: the name that results give beside the digest; empty takes the folder's own.
            canaries: pairs with the scores that its trainer stored.

        Raises:
            AdapterIncompatible: it does not fit, or a canary is off; the active one stays.
            EngineClosed: the engine stopped first.
        """
