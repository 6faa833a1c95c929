from services.pb.scoring.v1 import events_pb2 as _events_pb2
from services.pb.scoring.v1 import field_limits_pb2 as _field_limits_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubmitLabelRequest(_message.Message):
    __slots__ = ("label",)
    LABEL_FIELD_NUMBER: _ClassVar[int]
    label: _events_pb2.ScoreLabelled
    def __init__(self, label: _Optional[_Union[_events_pb2.ScoreLabelled, _Mapping]] = ...) -> None: ...

class SubmitLabelResponse(_message.Message):
    __slots__ = ("partition", "offset")
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    partition: int
    offset: int
    def __init__(self, partition: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...
