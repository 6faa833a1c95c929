"""The gRPC server: its options and services."""

import grpc
from grpc_health.v1 import health_pb2_grpc

from services.pb.scoring.v1 import adapter_service_pb2, feedback_service_pb2, scoring_service_pb2
from services.pb.scoring.v1.adapter_service_pb2_grpc import (
    AdapterServiceServicer,
    add_AdapterServiceServicer_to_server,
)
from services.pb.scoring.v1.feedback_service_pb2_grpc import (
    FeedbackServiceServicer,
    add_FeedbackServiceServicer_to_server,
)
from services.pb.scoring.v1.scoring_service_pb2_grpc import (
    ScoringServiceServicer,
    add_ScoringServiceServicer_to_server,
)
from services.process.settings import ApiSettings
from services.scoring_api.access.access_control import AccessControl
from services.scoring_api.access.call_pools import HEALTH_SERVICE
from services.scoring_api.access.reflection_services import add_reflection
from services.scoring_api.calls.health_service import ServerHealth

SERVICE_NAMES = (
    scoring_service_pb2.DESCRIPTOR.services_by_name["ScoringService"].full_name,
    feedback_service_pb2.DESCRIPTOR.services_by_name["FeedbackService"].full_name,
    adapter_service_pb2.DESCRIPTOR.services_by_name["AdapterService"].full_name,
)

KEEPALIVE_OPTIONS = (
    # Ping an idle client every minute, below the idle limits of common load balancers (5 minutes)...
    ("grpc.keepalive_time_ms", 60_000),
    # ...and drop it after 20 seconds of silence, so that a dead peer's pairs are withdrawn.
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Clients may ping this often without being cut off for it.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)


def build_server(
    settings: ApiSettings,
    scoring: ScoringServiceServicer,
    feedback: FeedbackServiceServicer,
    adapters: AdapterServiceServicer,
    server_health: ServerHealth,
    access: AccessControl,
) -> grpc.aio.Server:
    """Builds a server that has no port yet; every call passes ``access`` first."""
    server = grpc.aio.server(
        interceptors=(access,),
        options=[
            ("grpc.max_receive_message_length", settings.grpc_max_message_bytes),
            # Two servers on one port would share its calls without a word.
            ("grpc.so_reuseport", 0),
            *KEEPALIVE_OPTIONS,
        ],
    )
    add_ScoringServiceServicer_to_server(scoring, server)  # type: ignore[no-untyped-call]
    add_FeedbackServiceServicer_to_server(feedback, server)  # type: ignore[no-untyped-call]
    add_AdapterServiceServicer_to_server(adapters, server)  # type: ignore[no-untyped-call]
    if settings.grpc_health:
        health_pb2_grpc.add_HealthServicer_to_server(server_health, server)
    if settings.grpc_reflection:
        add_reflection(server, (*SERVICE_NAMES, *((HEALTH_SERVICE,) if settings.grpc_health else ())))
    return server
