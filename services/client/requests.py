"""What a client asks and gets, where the messages of the API alone would be unhandy."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from services.client.errors import RequestTooLarge
from services.pb.scoring.v1.events_pb2 import InlineJob
from services.pb.scoring.v1.field_limits_pb2 import max_message_bytes
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.pb.scoring.v1.scoring_service_pb2 import (
    Attribution,
    Candidate,
    ExplainRequest,
    ExplainResponse,
    RankCandidatesRequest,
    ScoreRequest,
)

_RANKING_OPTIONS: Any = RankCandidatesRequest.DESCRIPTOR.GetOptions()  # stubs type extensions too loosely
#: Largest request of all methods: a ranking.
MAX_REQUEST_BYTES: int = _RANKING_OPTIONS.Extensions[max_message_bytes]
Job = InlineJob | str  # a text alone is the description


@dataclass(frozen=True, slots=True)
class Pair:
    """One resume and its job.

    Attributes:
        job: the job, or its description alone.
        resume: plain text.
        application_id: returned in the result; needed in a stream.
    """

    job: Job = field(repr=False)
    resume: str = field(repr=False)
    application_id: str = ""

    def request(self) -> ScoreRequest:
        """Returns the pair as the API takes it."""
        return ScoreRequest(application_id=self.application_id, job=inline_job(self.job), resume=self.resume)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a score is what it is.

    Attributes:
        result: the score.
        attribution: measured influence of the resume's lines, the greatest first.
        text: the model's own words; not measured, and possibly wrong; empty where none can be read.
        text_missing: why there is no text; empty where there is one.
    """

    result: ScoreResult
    attribution: Attribution
    text: str = field(repr=False)
    text_missing: str = ""

    @classmethod
    def from_parts(cls, parts: Iterable[ExplainResponse]) -> "Explanation":
        """Returns the whole of an answer."""
        result, attribution, words, text_missing = ScoreResult(), Attribution(), [], ""
        for part in parts:
            if part.HasField("result"):
                result = part.result
            elif part.HasField("attribution"):
                attribution = part.attribution
            elif part.HasField("text_missing"):
                text_missing = part.text_missing
            else:
                words.append(part.text)
        return cls(result, attribution, "".join(words), text_missing)


def inline_job(job: Job) -> InlineJob:
    """Returns a job as the API takes it."""
    return InlineJob(description=job) if isinstance(job, str) else job


def rank_request(job: Job, resumes: Iterable[tuple[str, str]]) -> RankCandidatesRequest:
    """Returns a ranking request.

    Args:
        resumes: application id and plain text of each.
    """
    candidates = [Candidate(application_id=each, resume=resume) for each, resume in resumes]
    return RankCandidatesRequest(job=inline_job(job), candidates=candidates)


def check_size(request: Message) -> None:
    """Accepts a request that the server will read; it would drop the connection's work for a larger one.

    Raises:
        RequestTooLarge: nothing was sent.
    """
    size = request.ByteSize()
    if size > MAX_REQUEST_BYTES:
        raise RequestTooLarge(
            "RESOURCE_EXHAUSTED",
            f"the request takes {size} bytes and one call {MAX_REQUEST_BYTES} at most; rank the resumes in "
            "several calls, their scores do not depend on each other",
            "MESSAGE_TOO_LARGE",
        )


def explain_request(pair: Pair, max_tokens: int) -> ExplainRequest:
    """Returns a request for an explanation."""
    return ExplainRequest(request=pair.request(), max_tokens=max_tokens)
