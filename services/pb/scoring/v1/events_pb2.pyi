import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from services.pb.scoring.v1 import field_limits_pb2 as _field_limits_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobPosted(_message.Message):
    __slots__ = ("job_id", "title", "description", "version", "post_time")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    POST_TIME_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    title: str
    description: str
    version: int
    post_time: _timestamp_pb2.Timestamp
    def __init__(self, job_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., version: _Optional[int] = ..., post_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class InlineJob(_message.Message):
    __slots__ = ("title", "description")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    title: str
    description: str
    def __init__(self, title: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class ApplicationSubmitted(_message.Message):
    __slots__ = ("application_id", "job_id", "resume", "job")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    job_id: str
    resume: str
    job: InlineJob
    def __init__(self, application_id: _Optional[str] = ..., job_id: _Optional[str] = ..., resume: _Optional[str] = ..., job: _Optional[_Union[InlineJob, _Mapping]] = ...) -> None: ...

class ScoreLabelled(_message.Message):
    __slots__ = ("application_id", "score", "category", "rater", "reasoning", "resume", "job_description")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    RATER_FIELD_NUMBER: _ClassVar[int]
    REASONING_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    JOB_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    score: float
    category: str
    rater: str
    reasoning: str
    resume: str
    job_description: str
    def __init__(self, application_id: _Optional[str] = ..., score: _Optional[float] = ..., category: _Optional[str] = ..., rater: _Optional[str] = ..., reasoning: _Optional[str] = ..., resume: _Optional[str] = ..., job_description: _Optional[str] = ...) -> None: ...

class AnnotationRequested(_message.Message):
    __slots__ = ("application_id", "job_id", "score", "standard_deviation", "reason")
    APPLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    STANDARD_DEVIATION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    application_id: str
    job_id: str
    score: float
    standard_deviation: float
    reason: str
    def __init__(self, application_id: _Optional[str] = ..., job_id: _Optional[str] = ..., score: _Optional[float] = ..., standard_deviation: _Optional[float] = ..., reason: _Optional[str] = ...) -> None: ...

class AdapterPublished(_message.Message):
    __slots__ = ("name", "version", "store_uri", "digest", "metrics", "base_model", "prompt_version", "publish_time")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STORE_URI_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    store_uri: str
    digest: str
    metrics: _containers.ScalarMap[str, float]
    base_model: str
    prompt_version: str
    publish_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., store_uri: _Optional[str] = ..., digest: _Optional[str] = ..., metrics: _Optional[_Mapping[str, float]] = ..., base_model: _Optional[str] = ..., prompt_version: _Optional[str] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
