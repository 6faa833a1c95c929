"""``scoring.v1.AdapterService``: which adapters there are and which one is used; for administrators."""

import grpc

from services.contracts.engine import PairScorer
from services.contracts.errors import InvalidInput
from services.contracts.outcomes import DeadLetterKind
from services.events.wire.message_limits import violations_of
from services.pb.scoring.v1.adapter_service_pb2 import (
    ActivateAdapterRequest,
    ActivateAdapterResponse,
    ListAdaptersRequest,
    ListAdaptersResponse,
    RollbackAdapterRequest,
    RollbackAdapterResponse,
)
from services.pb.scoring.v1.adapter_service_pb2_grpc import AdapterServiceServicer
from services.process.settings import RolloutSettings
from services.rollout import AdapterAdministration, announcement
from services.scoring_api.calls.call_answers import CallAnswers


class AdapterServicer(AdapterServiceServicer):
    """Lists and changes adapters; ``AccessControl`` lets only callers of the scope admin come here.

    Args:
        scorer: tells what is active in this process.
        answers: ends every call with the right status.
    """

    def __init__(self, settings: RolloutSettings, scorer: PairScorer, answers: CallAnswers) -> None:
        self._administration = AdapterAdministration(settings)
        self._name = settings.adapter_name
        self._scorer = scorer
        self._answers = answers

    async def ListAdapters(
        self, request: ListAdaptersRequest, context: grpc.aio.ServicerContext
    ) -> ListAdaptersResponse:
        """Answers with the stored versions, newest first, and the digest that is active here."""
        async with self._answers.answering(context):
            stored = await self._administration.versions()
        return ListAdaptersResponse(
            adapters=[announcement(self._name, each) for each in stored],
            active_digest=self._scorer.active_adapter_digest,
        )

    async def ActivateAdapter(
        self, request: ActivateAdapterRequest, context: grpc.aio.ServicerContext
    ) -> ActivateAdapterResponse:
        """Answers once the version is announced; scorers change a moment later."""
        async with self._answers.answering(context):
            violations = violations_of(request)
            if violations:
                raise InvalidInput(DeadLetterKind.FIELD_LIMITS, violations)
            stored = await self._administration.activate(request.version)
        return ActivateAdapterResponse(adapter=announcement(self._name, stored))

    async def RollbackAdapter(
        self, request: RollbackAdapterRequest, context: grpc.aio.ServicerContext
    ) -> RollbackAdapterResponse:
        """Answers once the version before is announced; empty where that is the scorers' own adapter."""
        async with self._answers.answering(context):
            stored = await self._administration.rollback()
        if stored is None:
            return RollbackAdapterResponse()
        return RollbackAdapterResponse(adapter=announcement(self._name, stored))
