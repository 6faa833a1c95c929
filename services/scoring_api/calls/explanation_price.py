"""What an explanation costs, in pairs: passes for its score and for each part left out, then its words."""

from math import ceil

from services.pb.scoring.v1.scoring_service_pb2 import ExplainRequest
from services.scoring.engine import split_parts

DEFAULT_TOKENS = 128
# A step of writing reads every weight for one token. On two CPU cores 12 to 26 of them took as long as the
# pass of a pair of 970 tokens (bundled model).
STEPS_OF_A_PASS = 16


def max_tokens_of(request: ExplainRequest) -> int:
    """Returns how many tokens may be written."""
    return request.max_tokens or DEFAULT_TOKENS


def price_of(request: ExplainRequest) -> int:
    """Returns the price in pairs, before anything is computed; what is not written is not given back."""
    num_parts = len(split_parts(request.request.resume))
    num_passes = 1 + (num_parts if num_parts > 1 else 0)
    return num_passes + ceil(max_tokens_of(request) / STEPS_OF_A_PASS)
