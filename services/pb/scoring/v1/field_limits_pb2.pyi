from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor
MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
max_message_bytes: _descriptor.FieldDescriptor
LIMITS_FIELD_NUMBER: _ClassVar[int]
limits: _descriptor.FieldDescriptor

class FieldLimits(_message.Message):
    __slots__ = ("required", "max_bytes", "max_items", "minimum", "maximum", "one_of", "identifier")
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    ONE_OF_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    required: bool
    max_bytes: int
    max_items: int
    minimum: float
    maximum: float
    one_of: _containers.RepeatedScalarFieldContainer[str]
    identifier: bool
    def __init__(self, required: _Optional[bool] = ..., max_bytes: _Optional[int] = ..., max_items: _Optional[int] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ..., one_of: _Optional[_Iterable[str]] = ..., identifier: _Optional[bool] = ...) -> None: ...
