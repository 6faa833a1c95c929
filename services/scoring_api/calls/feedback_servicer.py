"""``scoring.v1.FeedbackService``: people's labels, on their way to the feedback topic."""

import grpc

from services.contracts.errors import FieldViolation, InvalidInput
from services.contracts.outcomes import DeadLetterKind
from services.contracts.scoring import category_of
from services.events.wire.message_limits import violations_of
from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest, SubmitLabelResponse
from services.pb.scoring.v1.feedback_service_pb2_grpc import FeedbackServiceServicer
from services.scoring_api.answers.deadlines import deadline_of, ends_by
from services.scoring_api.calls.call_answers import CallAnswers
from services.scoring_api.calls.label_publisher import LabelPublisher


class FeedbackServicer(FeedbackServiceServicer):
    """Publishes labels.

    Args:
        publisher: writes to the feedback topic.
        answers: ends every call with the right status.
        default_deadline_seconds: for calls that come without a deadline.
    """

    def __init__(
        self, publisher: LabelPublisher, answers: CallAnswers, default_deadline_seconds: float
    ) -> None:
        self._publisher = publisher
        self._answers = answers
        self._default_deadline_seconds = default_deadline_seconds

    async def SubmitLabel(
        self, request: SubmitLabelRequest, context: grpc.aio.ServicerContext
    ) -> SubmitLabelResponse:
        """Answers once the label has been written."""
        async with self._answers.answering(context):
            check_label(request)
            async with ends_by(deadline_of(context, self._default_deadline_seconds)):
                position = await self._publisher.publish(request.label)
        return SubmitLabelResponse(partition=position.partition, offset=position.offset)


def check_label(request: SubmitLabelRequest) -> None:
    """Accepts a label that judges something.

    Raises:
        InvalidInput: a field breaks its limit, there is neither score nor category, or they contradict.
    """
    violations = violations_of(request) or _problems_of_judgement(request.label)
    if violations:
        raise InvalidInput(DeadLetterKind.FIELD_LIMITS, violations)


def _problems_of_judgement(label: ScoreLabelled) -> tuple[FieldViolation, ...]:
    if not label.HasField("score"):
        problem = FieldViolation("label.score", "is required where label.category is empty")
        return () if label.category else (problem,)
    if label.category in ("", category_of(label.score)):
        return ()
    # The trainer would put it aside long after the person has gone.
    return (
        FieldViolation("label.score", "does not lie in the category of label.category"),
        FieldViolation("label.category", "is not the category that label.score lies in"),
    )
