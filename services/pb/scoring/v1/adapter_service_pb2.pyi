from services.pb.scoring.v1 import events_pb2 as _events_pb2
from services.pb.scoring.v1 import field_limits_pb2 as _field_limits_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListAdaptersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListAdaptersResponse(_message.Message):
    __slots__ = ("adapters", "active_digest")
    ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    adapters: _containers.RepeatedCompositeFieldContainer[_events_pb2.AdapterPublished]
    active_digest: str
    def __init__(self, adapters: _Optional[_Iterable[_Union[_events_pb2.AdapterPublished, _Mapping]]] = ..., active_digest: _Optional[str] = ...) -> None: ...

class ActivateAdapterRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class ActivateAdapterResponse(_message.Message):
    __slots__ = ("adapter",)
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: _events_pb2.AdapterPublished
    def __init__(self, adapter: _Optional[_Union[_events_pb2.AdapterPublished, _Mapping]] = ...) -> None: ...

class RollbackAdapterRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RollbackAdapterResponse(_message.Message):
    __slots__ = ("adapter",)
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: _events_pb2.AdapterPublished
    def __init__(self, adapter: _Optional[_Union[_events_pb2.AdapterPublished, _Mapping]] = ...) -> None: ...
