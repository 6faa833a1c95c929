"""Every error that crosses a module of this project.

    ScorerError
    ├── InvalidInput            the caller's data breaks a limit; names field and limit
    ├── SettingsInvalid         a setting is unknown or unparsable; names it
    ├── ModelUnavailable        the base model cannot be found, verified or loaded
    ├── AdapterIncompatible     an adapter does not fit the base model or prompt
    ├── AdapterNotFound         the adapter store has no such version
    ├── AdapterStoreUnreachable the adapter store cannot be read or written
    ├── BrokerUnreachable       no Kafka broker answers
    ├── AuditLogUnwritable      a score cannot be noted, and so must not leave
    ├── EngineOverloaded        the queue is full, or too long for the deadline; carries when to try again
    ├── EngineClosed            the engine is draining or stopped
    ├── DeadlineExpired         the caller's deadline passed before the model was reached
    └── ScoringFailed           this pair's forward pass failed
        └── TextsUnreadable     reading this pair's texts met a bug, and would again

No message holds any text of a resume, a job or a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from services.contracts.outcomes import DeadLetterKind, InputFault, Outcome


class ScorerError(Exception):
    """Is the parent of every error that this project raises on purpose.

    Attributes:
        outcome: as what a pair that ends with it is counted.
    """

    outcome: ClassVar[Outcome] = Outcome.INTERNAL_ERROR


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field that breaks a limit.

    Attributes:
        field: path of the field, such as ``candidates[3].resume``.
        description: what is wrong and the limit, without the value itself.
    """

    field: str
    description: str


class InvalidInput(ScorerError):
    """Data from outside breaks a limit.

    Attributes:
        kind: used as a label and in dead letters.
        violations: the fields at fault.
    """

    outcome = Outcome.INVALID_INPUT

    def __init__(self, kind: DeadLetterKind | InputFault, violations: Sequence[FieldViolation]) -> None:
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in violations))
        self.kind = kind
        self.violations = tuple(violations)


class SettingsInvalid(ScorerError):
    """A setting is unknown, missing or unparsable."""


class ModelUnavailable(ScorerError):
    """The base model cannot be found, verified or loaded."""


class AdapterIncompatible(ScorerError):
    """An adapter does not fit the base model, the prompt version or the target modules."""


class AdapterNotFound(ScorerError):
    """The adapter store has no version of this name, or none to go back to."""


class AdapterStoreUnreachable(ScorerError):
    """The adapter store cannot be read or written."""


class BrokerUnreachable(ScorerError):
    """No Kafka broker answers at the address of the settings."""


class AuditLogUnwritable(ScorerError):
    """The audit log cannot be written: a score that nobody can account for must not leave."""


class EngineOverloaded(ScorerError):
    """The engine's queue is full, or longer than the deadline allows to wait.

    Attributes:
        retry_after_seconds: when the queue is expected to have room again.
    """

    outcome = Outcome.OVERLOADED

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(
            f"the queue is full, or too long for the deadline; try again in {retry_after_seconds:.2f} s"
        )
        self.retry_after_seconds = retry_after_seconds


class EngineClosed(ScorerError):
    """The engine accepts no more work."""

    outcome = Outcome.CLOSED


class DeadlineExpired(ScorerError):
    """The deadline passed before the pair reached the model."""

    outcome = Outcome.DEADLINE_EXPIRED


class ScoringFailed(ScorerError):
    """The model failed on this pair; another attempt may succeed."""

    outcome = Outcome.SCORING_FAILED


class TextsUnreadable(ScoringFailed):
    """Reading this pair's texts met a bug of ours; another attempt meets it too."""
