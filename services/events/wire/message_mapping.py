"""Maps between what the engine speaks and what stands on the wire."""

import hashlib
from collections.abc import Sequence

from google.protobuf.duration_pb2 import Duration

from services.contracts.reading import TextReading
from services.contracts.scoring import LineInfluence, PairRequest, PairScore, StageSeconds
from services.pb.scoring.v1.score_pb2 import ScoreResult, StageTimings
from services.pb.scoring.v1.score_pb2 import TextReading as TextReadingMessage
from services.pb.scoring.v1.scoring_service_pb2 import Attribution
from services.pb.scoring.v1.scoring_service_pb2 import LineInfluence as LineInfluenceMessage

NANOSECONDS_PER_SECOND = 10**9


def job_text(title: str, description: str) -> str:
    """Returns the text of a job: title, blank line, description, or the description alone."""
    return f"{title}\n\n{description}" if title.strip() else description


def result_message(score: PairScore, pair: PairRequest, job_id: str) -> ScoreResult:
    """Returns a score as it is answered and published.

    Args:
        score: what the engine computed; its request id becomes the application id.
        pair: the texts that were scored, as they came.
        job_id: the job it was scored against; empty where the caller gave none.
    """
    distribution = score.distribution
    return ScoreResult(
        application_id=score.request_id,
        job_id=job_id,
        score=score.score,
        category=score.category,
        median=distribution.median,
        standard_deviation=distribution.standard_deviation,
        percentile_10=distribution.percentile(10),
        percentile_90=distribution.percentile(90),
        distribution=distribution.probabilities,
        adapter_digest=score.adapter_digest,
        adapter_version=score.adapter_version,
        base_model=score.base_model,
        prompt_version=score.prompt_version,
        prompt_tokens=score.num_prompt_tokens,
        truncated_tokens=score.num_truncated_tokens,
        job_truncated_tokens=score.num_job_truncated_tokens,
        flags=score.flags,
        identity_masked=score.is_identity_masked,
        reading=_reading_message(score.reading),
        timings=_timings(score.seconds),
        resume_sha256=text_sha256(pair.resume),
        job_sha256=text_sha256(pair.job_description),
    )


def _reading_message(reading: TextReading) -> TextReadingMessage:
    return TextReadingMessage(
        markup=reading.markup,
        repaired=reading.num_repaired,
        repeated_characters=reading.num_repeated_characters,
        masked=reading.num_masked,
        removed_characters=reading.num_removed_characters,
        readable_share=reading.readable_share,
        language=reading.language,
        masked_kinds=reading.masked_kinds,
    )


def text_sha256(text: str) -> str:
    """Returns the digest that tells a text from another one, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def attribution_message(parts: Sequence[LineInfluence]) -> Attribution:
    """Returns the influence of a resume's lines as it is answered, in the same order."""
    return Attribution(
        parts=[
            LineInfluenceMessage(first_line=part.first_line, last_line=part.last_line, points=part.points)
            for part in parts
        ]
    )


def _timings(seconds: StageSeconds) -> StageTimings:
    return StageTimings(
        queue=_duration(seconds.queue),
        encode=_duration(seconds.encode),
        forward=_duration(seconds.forward),
        readout=_duration(seconds.readout),
    )


def _duration(seconds: float) -> Duration:
    whole, nanoseconds = divmod(round(seconds * NANOSECONDS_PER_SECOND), NANOSECONDS_PER_SECOND)
    return Duration(seconds=whole, nanos=nanoseconds)
