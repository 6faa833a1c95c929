import pytest

from services.contracts.errors import InvalidInput
from services.scoring.prompt import PROMPT_VERSION, PromptBuilder, digest_of
from services.scoring.text_encoder import TextEncoder

JOB = "Senior Python engineer.\nMust know Kafka."
RESUME = "Ten years of Python and Kafka."


def test_the_prompt_of_version_1_reads_like_this(encoder: TextEncoder) -> None:
    # Adapters are trained on these very tokens: a change here needs a new PROMPT_VERSION.
    prompt = PromptBuilder(encoder, 2048).build(JOB, RESUME)

    assert PROMPT_VERSION == "1"
    assert prompt.prefix + prompt.suffix == tuple(
        encoder.encode_template(
            "<bos><start_of_turn>user\n"
            "You are an experienced recruiter. Judge how well the resume fits the job, "
            "from 0 (no fit at all) to 100 (perfect fit).\n\n"
            "Job description:\nSenior Python engineer.\nMust know Kafka.\n\n"
            "Resume:\nTen years of Python and Kafka.\n\n"
            "How well does the resume fit the job?<end_of_turn>\n<start_of_turn>model\nScore: "
        )
    )


def test_resumes_of_one_job_share_their_prefix(encoder: TextEncoder) -> None:
    builder = PromptBuilder(encoder, 2048)

    first, second = builder.build(JOB, RESUME), builder.build(JOB, "Another resume.")
    other = builder.build(JOB + " Or Go.", RESUME)

    assert first.prefix == second.prefix
    assert first.prefix_digest == second.prefix_digest == digest_of(first.prefix)
    assert other.prefix_digest == digest_of(other.prefix) != first.prefix_digest


def test_the_resume_is_trimmed_and_the_job_never(encoder: TextEncoder) -> None:
    long_resume = RESUME * 100

    whole = PromptBuilder(encoder, 4096).build(JOB, long_resume)
    trimmed = PromptBuilder(encoder, 256).build(JOB, long_resume)

    assert whole.num_truncated_tokens == 0
    assert trimmed.num_tokens == 256
    assert trimmed.num_truncated_tokens == whole.num_tokens - 256
    assert trimmed.prefix == whole.prefix
    # What stands behind the resume is never cut.
    assert trimmed.suffix[-10:] == whole.suffix[-10:]


def test_a_job_that_leaves_no_room_is_refused_by_name(encoder: TextEncoder) -> None:
    with pytest.raises(InvalidInput, match="job.description: takes .* tokens") as caught:
        PromptBuilder(encoder, 256).build(JOB * 50, RESUME * 50)

    assert caught.value.kind == "job_too_long"


@pytest.mark.parametrize(
    ("job", "resume", "field"),
    [
        (JOB, " \x00\n", "resume"),
        (JOB, "\u200b\u202e\u00ad", "resume"),
        ("\u0000", RESUME, "job.description"),
    ],
)
def test_texts_without_text_are_refused_by_name(
    encoder: TextEncoder, job: str, resume: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        PromptBuilder(encoder, 256).build(job, resume)

    assert caught.value.kind == "empty_text"
    assert caught.value.violations[0].field == field
