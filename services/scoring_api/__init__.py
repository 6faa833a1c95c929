"""The scoring API: gRPC calls in, scores and explanations out."""

from services.scoring_api.access.server_transport import check_transport
from services.scoring_api.app import ApiAddresses, run_api
from services.scoring_api.metrics import ApiMetrics

__all__ = [
    "ApiAddresses",
    "ApiMetrics",
    "check_transport",
    "run_api",
]
