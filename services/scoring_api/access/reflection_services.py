"""Server reflection under both of its names: v1, which newer tools ask for first, and v1alpha."""

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection, reflection_pb2

V1ALPHA: str = reflection.SERVICE_NAME
V1 = V1ALPHA.replace("v1alpha", "v1")
REFLECTION_SERVICES = (V1, V1ALPHA)
_V1_FILE = "grpc/reflection/v1/reflection.proto"


def add_reflection(server: grpc.aio.Server, shown: tuple[str, ...]) -> None:
    """Lets clients ask which services there are and what their messages look like.

    Args:
        server: not started yet.
        shown: names of the services to tell of, beside reflection itself.
    """
    _describe_v1()
    servicer = reflection.aio.ReflectionServicer((*shown, *REFLECTION_SERVICES))
    # The messages of v1 are those of v1alpha byte for byte; grpcio brings v1alpha alone.
    answer = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handlers = [
        grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": answer})
        for name in REFLECTION_SERVICES
    ]
    server.add_generic_rpc_handlers(handlers)


def _describe_v1() -> None:
    """Makes the description of v1 known, so that a tool that asks for it finds it."""
    pool = descriptor_pool.Default()
    try:
        pool.FindFileByName(_V1_FILE)
    except KeyError:
        described = FileDescriptorProto()
        reflection_pb2.DESCRIPTOR.CopyToProto(described)
        described.name, described.package = _V1_FILE, V1.rpartition(".")[0]
        _rename_types(described)
        pool.AddSerializedFile(described.SerializeToString())


def _rename_types(file: FileDescriptorProto) -> None:
    for message in file.message_type:
        for field in message.field:
            if field.HasField("type_name"):
                field.type_name = field.type_name.replace(".v1alpha.", ".v1.")
    for service in file.service:
        for method in service.method:
            method.input_type = method.input_type.replace(".v1alpha.", ".v1.")
            method.output_type = method.output_type.replace(".v1alpha.", ".v1.")
