import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StageTimings(_message.Message):
    __slots__ = ("queue", "encode", "forward", "readout")
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    ENCODE_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    READOUT_FIELD_NUMBER: _ClassVar[int]
    queue: _duration_pb2.Duration
    encode: _duration_pb2.Duration
    forward: _duration_pb2.Duration
    readout: _duration_pb2.Duration
    def __init__(self, queue: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., encode: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., forward: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., readout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SourceEvent(_message.Message):
    __slots__ = ("topic", "partition", "offset", "time")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    offset: int
    time: _timestamp_pb2.Timestamp
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ScoreResult(_message.Message):
    __slots__ = ("application_id", "job_id", "score", "category", "median", "standard_deviation", "percentile_10", "percentile_90", "distribution", "adapter_digest", "adapter_version", "base_model", "prompt_version", "prompt_tokens", "truncated_tokens", "flags", "timings", "identity_masked", "job_truncated_tokens", "resume_sha256", "job_sha256", "job_version", "source", "reading")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    STANDARD_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_10_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_90_FIELD_NUMBER: _ClassVar[int]
    DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_MASKED_FIELD_NUMBER: _ClassVar[int]
    JOB_TRUNCATED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    RESUME_SHA256_FIELD_NUMBER: _ClassVar[int]
    JOB_SHA256_FIELD_NUMBER: _ClassVar[int]
    JOB_VERSION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    job_id: str
    score: float
    category: str
    median: int
    standard_deviation: float
    percentile_10: int
    percentile_90: int
    distribution: _containers.RepeatedScalarFieldContainer[float]
    adapter_digest: str
    adapter_version: str
    base_model: str
    prompt_version: str
    prompt_tokens: int
    truncated_tokens: int
    flags: _containers.RepeatedScalarFieldContainer[str]
    timings: StageTimings
    identity_masked: bool
    job_truncated_tokens: int
    resume_sha256: str
    job_sha256: str
    job_version: int
    source: SourceEvent
    reading: TextReading
    def __init__(self, application_id: _Optional[str] = ..., job_id: _Optional[str] = ..., score: _Optional[float] = ..., category: _Optional[str] = ..., median: _Optional[int] = ..., standard_deviation: _Optional[float] = ..., percentile_10: _Optional[int] = ..., percentile_90: _Optional[int] = ..., distribution: _Optional[_Iterable[float]] = ..., adapter_digest: _Optional[str] = ..., adapter_version: _Optional[str] = ..., base_model: _Optional[str] = ..., prompt_version: _Optional[str] = ..., prompt_tokens: _Optional[int] = ..., truncated_tokens: _Optional[int] = ..., flags: _Optional[_Iterable[str]] = ..., timings: _Optional[_Union[StageTimings, _Mapping]] = ..., identity_masked: _Optional[bool] = ..., job_truncated_tokens: _Optional[int] = ..., resume_sha256: _Optional[str] = ..., job_sha256: _Optional[str] = ..., job_version: _Optional[int] = ..., source: _Optional[_Union[SourceEvent, _Mapping]] = ..., reading: _Optional[_Union[TextReading, _Mapping]] = ...) -> None: ...

class TextReading(_message.Message):
    __slots__ = ("markup", "repaired", "repeated_characters", "masked", "removed_characters", "readable_share", "language", "masked_kinds")
    MARKUP_FIELD_NUMBER: _ClassVar[int]
    REPAIRED_FIELD_NUMBER: _ClassVar[int]
    REPEATED_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    READABLE_SHARE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    MASKED_KINDS_FIELD_NUMBER: _ClassVar[int]
    markup: str
    repaired: int
    repeated_characters: int
    masked: int
    removed_characters: int
    readable_share: float
    language: str
    masked_kinds: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, markup: _Optional[str] = ..., repaired: _Optional[int] = ..., repeated_characters: _Optional[int] = ..., masked: _Optional[int] = ..., removed_characters: _Optional[int] = ..., readable_share: _Optional[float] = ..., language: _Optional[str] = ..., masked_kinds: _Optional[_Iterable[str]] = ...) -> None: ...
