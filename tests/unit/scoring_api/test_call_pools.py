"""Places of calls: bounded in all and for each caller, and given back."""

import pytest

from services.process.settings import Settings
from services.scoring_api.access.call_pools import CallPool, CallPools
from services.scoring_api.answers.call_errors import TooManyCalls


def test_a_caller_has_its_share_and_others_the_rest() -> None:
    pool = CallPool(max_calls=3, max_per_caller=2)
    first = pool.take("greedy")
    pool.take("greedy")
    with pytest.raises(TooManyCalls):
        pool.take("greedy")
    pool.take("modest")
    with pytest.raises(TooManyCalls):
        pool.take("third")

    first.give_back()

    pool.take("third")


def test_a_full_pool_leaves_the_others_as_they_are() -> None:
    pools = CallPools(Settings(grpc_max_concurrent_calls=1, grpc_max_watches=1))
    methods = (
        "scoring.v1.ScoringService/Score",
        "grpc.health.v1.Health/Watch",
        "grpc.health.v1.Health/Check",
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    )
    places = [pools.of(method).take("somebody") for method in methods]

    assert len({id(place.pool) for place in places}) == len(methods)
    assert pools.of("scoring.v1.FeedbackService/SubmitLabel") is places[0].pool
