"""How many calls may be open at once: each kind in a pool of its own, in all and of each caller."""

from collections import Counter
from dataclasses import dataclass

from grpc_health.v1 import health_pb2

from services.process.settings import AccessSettings
from services.scoring_api.access.reflection_services import REFLECTION_SERVICES
from services.scoring_api.answers.call_errors import TooManyCalls

HEALTH_SERVICE: str = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
WATCH = f"{HEALTH_SERVICE}/Watch"
EXPLAIN = "scoring.v1.ScoringService/Explain"
# Health checks end at once; what stays open longer is somebody who opens calls and sends nothing.
MAX_CHECKS, MAX_CHECKS_PER_CALLER = 512, 64
# A person's tool asks for descriptions over one stream.
MAX_REFLECTIONS, MAX_REFLECTIONS_PER_CALLER = 64, 8


@dataclass(frozen=True, slots=True)
class Place:
    """An open call's place.

    Attributes:
        pool: that it was taken from.
        caller: who has it.
    """

    pool: "CallPool"
    caller: str

    def give_back(self) -> None:
        """Makes room for another call; once only."""
        self.pool.give_back(self.caller)


class CallPool:
    """The open calls of one kind; for one event loop.

    Args:
        max_per_caller: of each, so that none takes all places.
    """

    def __init__(self, max_calls: int, max_per_caller: int) -> None:
        self._max_calls = max_calls
        self._max_per_caller = max_per_caller
        self._by_caller: Counter[str] = Counter()
        self._num_calls = 0

    def take(self, caller: str) -> Place:
        """Returns a place, to be given back when the call has ended.

        Raises:
            TooManyCalls: there is none.
        """
        if self._num_calls >= self._max_calls or self._by_caller[caller] >= self._max_per_caller:
            if not self._by_caller[caller]:
                del self._by_caller[caller]
            raise TooManyCalls
        self._num_calls += 1
        self._by_caller[caller] += 1
        return Place(self, caller)

    def give_back(self, caller: str) -> None:
        """Ends a call of this caller."""
        self._num_calls -= 1
        self._by_caller[caller] -= 1
        if not self._by_caller[caller]:
            del self._by_caller[caller]


class CallPools:
    """Which pool a call belongs to; full pools of one kind leave the others as they are."""

    def __init__(self, settings: AccessSettings) -> None:
        self._calls = CallPool(
            settings.grpc_max_concurrent_calls,
            min(settings.grpc_max_concurrent_calls_per_caller, settings.grpc_max_concurrent_calls),
        )
        self._checks = CallPool(MAX_CHECKS, MAX_CHECKS_PER_CALLER)
        self._reflections = CallPool(MAX_REFLECTIONS, MAX_REFLECTIONS_PER_CALLER)
        self._of_method = {
            EXPLAIN: CallPool(settings.grpc_max_explanations, max(1, settings.grpc_max_explanations // 2)),
            WATCH: CallPool(settings.grpc_max_watches, settings.grpc_max_watches_per_caller),
        }

    def of(self, method: str) -> CallPool:
        """Returns the pool of a method.

        Args:
            method: such as ``scoring.v1.ScoringService/Score``.
        """
        service = method.partition("/")[0]
        if service in REFLECTION_SERVICES:
            return self._reflections
        return self._of_method.get(method, self._checks if service == HEALTH_SERVICE else self._calls)
