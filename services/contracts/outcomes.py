"""The vocabulary of what happens to a pair, a record or a call: labels of metrics and of dead letters."""

from enum import StrEnum


class Entrypoint(StrEnum):
    """Where a pair came in."""

    KAFKA = "kafka"
    SCORE = "score"
    RANK = "rank"
    STREAM = "stream"
    EXPLAIN = "explain"


#: Those that are calls.
GRPC_ENTRYPOINTS = tuple(each for each in Entrypoint if each is not Entrypoint.KAFKA)


class Outcome(StrEnum):
    """How a pair ended."""

    OK = "ok"
    INVALID_INPUT = "invalid_input"
    OVERLOADED = "overloaded"
    CLOSED = "closed"
    DEADLINE_EXPIRED = "deadline_expired"
    CANCELLED = "cancelled"
    SCORING_FAILED = "scoring_failed"
    UNKNOWN_JOB = "unknown_job"
    WAITING_ROOM_FULL = "waiting_room_full"
    SUPERSEDED = "superseded"
    INTERNAL_ERROR = "internal_error"


class Refusal(StrEnum):
    """Why a call was turned away before its method saw a message, or ended because nothing came."""

    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    TOKENS_UNAVAILABLE = "tokens_unavailable"
    RATE_EXCEEDED = "rate_exceeded"
    TOO_MANY_CALLS = "too_many_calls"
    MESSAGE_UNREADABLE = "message_unreadable"
    DEADLINE_EXPIRED = "deadline_expired"
    STREAM_IDLE = "stream_idle"


class DeadLetterKind(StrEnum):
    """Why a record became a dead letter."""

    BAD_ENCODING = "bad_encoding"
    BAD_JSON = "bad_json"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_FIELD = "unknown_field"
    FIELD_LIMITS = "field_limits"
    UNDECODABLE_BATCH = "undecodable_batch"
    UNDECODABLE_RECORD = "undecodable_record"
    UNKNOWN_JOB = "unknown_job"
    WAITING_ROOM_FULL = "waiting_room_full"
    INVALID_INPUT = "invalid_input"
    SCORING_FAILED = "scoring_failed"


class InputFault(StrEnum):
    """Why texts or files that somebody gave are refused, beside what makes a record a dead letter."""

    EMPTY_TEXT = "empty_text"
    UNREADABLE_TEXT = "unreadable_text"
    BAD_ROW = "bad_row"
    BAD_SCALE = "bad_scale"
    EMPTY_FILE = "empty_file"
    UNREADABLE_FILE = "unreadable_file"
    OTHER_OUTPUT = "other_output"
    UNWRITABLE_FILE = "unwritable_file"
    UNLIKE_TEXTS = "unlike_texts"
    NOTHING_TO_COMPARE = "nothing_to_compare"
    NOTHING_TO_TRAIN = "nothing_to_train"


class Stage(StrEnum):
    """What a pair goes through in the engine."""

    QUEUE = "queue"
    ENCODE = "encode"
    FORWARD = "forward"
    READOUT = "readout"


class PrefixLookup(StrEnum):
    """Whether the state of a job's prefix was at hand."""

    HIT = "hit"
    MISS = "miss"


class AdapterChange(StrEnum):
    """What came of an announced adapter."""

    OK = "ok"
    REJECTED = "rejected"


class AnnotationReason(StrEnum):
    """By which measure an application was found uncertain."""

    STANDARD_DEVIATION = "standard_deviation"
    CATEGORY_MARGIN = "category_margin"
