import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from services.pb.scoring.v1 import events_pb2 as _events_pb2
from services.pb.scoring.v1 import field_limits_pb2 as _field_limits_pb2
from services.pb.scoring.v1 import score_pb2 as _score_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScoreRequest(_message.Message):
    __slots__ = ("application_id", "job", "resume")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    job: _events_pb2.InlineJob
    resume: str
    def __init__(self, application_id: _Optional[str] = ..., job: _Optional[_Union[_events_pb2.InlineJob, _Mapping]] = ..., resume: _Optional[str] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _score_pb2.ScoreResult
    def __init__(self, result: _Optional[_Union[_score_pb2.ScoreResult, _Mapping]] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("application_id", "resume")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    resume: str
    def __init__(self, application_id: _Optional[str] = ..., resume: _Optional[str] = ...) -> None: ...

class RankCandidatesRequest(_message.Message):
    __slots__ = ("job", "candidates")
    JOB_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    job: _events_pb2.InlineJob
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    def __init__(self, job: _Optional[_Union[_events_pb2.InlineJob, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ...) -> None: ...

class RankCandidatesResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[_score_pb2.ScoreResult]
    def __init__(self, results: _Optional[_Iterable[_Union[_score_pb2.ScoreResult, _Mapping]]] = ...) -> None: ...

class StreamScoresRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: ScoreRequest
    def __init__(self, request: _Optional[_Union[ScoreRequest, _Mapping]] = ...) -> None: ...

class StreamScoresResponse(_message.Message):
    __slots__ = ("result", "error")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    result: _score_pb2.ScoreResult
    error: PairError
    def __init__(self, result: _Optional[_Union[_score_pb2.ScoreResult, _Mapping]] = ..., error: _Optional[_Union[PairError, _Mapping]] = ...) -> None: ...

class PairError(_message.Message):
    __slots__ = ("application_id", "code", "message", "retry_delay")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    code: str
    message: str
    retry_delay: _duration_pb2.Duration
    def __init__(self, application_id: _Optional[str] = ..., code: _Optional[str] = ..., message: _Optional[str] = ..., retry_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("request", "max_tokens")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    request: ScoreRequest
    max_tokens: int
    def __init__(self, request: _Optional[_Union[ScoreRequest, _Mapping]] = ..., max_tokens: _Optional[int] = ...) -> None: ...

class Attribution(_message.Message):
    __slots__ = ("parts",)
    PARTS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[LineInfluence]
    def __init__(self, parts: _Optional[_Iterable[_Union[LineInfluence, _Mapping]]] = ...) -> None: ...

class LineInfluence(_message.Message):
    __slots__ = ("first_line", "last_line", "points")
    FIRST_LINE_FIELD_NUMBER: _ClassVar[int]
    LAST_LINE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    first_line: int
    last_line: int
    points: float
    def __init__(self, first_line: _Optional[int] = ..., last_line: _Optional[int] = ..., points: _Optional[float] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("result", "text", "attribution", "text_missing")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    TEXT_MISSING_FIELD_NUMBER: _ClassVar[int]
    result: _score_pb2.ScoreResult
    text: str
    attribution: Attribution
    text_missing: str
    def __init__(self, result: _Optional[_Union[_score_pb2.ScoreResult, _Mapping]] = ..., text: _Optional[str] = ..., attribution: _Optional[_Union[Attribution, _Mapping]] = ..., text_missing: _Optional[str] = ...) -> None: ...
