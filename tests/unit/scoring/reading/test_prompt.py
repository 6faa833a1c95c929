import pytest

from services.contracts.errors import InvalidInput, SettingsInvalid
from services.contracts.reading import PROMPT_VERSION
from services.scoring.reading.prompt import PromptBuilder, digest_of
from services.scoring.reading.text_encoder import TextEncoder

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


def test_a_long_resume_is_trimmed_to_the_room_that_is_left(encoder: TextEncoder) -> None:
    long_resume = RESUME * 100

    whole = PromptBuilder(encoder, 4096).build(JOB, long_resume)
    trimmed = PromptBuilder(encoder, 256).build(JOB, long_resume)

    assert whole.num_truncated_tokens == 0
    assert trimmed.num_tokens == 256
    assert trimmed.num_truncated_tokens == whole.num_tokens - 256
    assert trimmed.prefix == whole.prefix
    # What stands behind the resume is never cut.
    assert trimmed.suffix[-10:] == whole.suffix[-10:]


def test_a_long_job_is_cut_at_a_lines_end_and_leaves_a_quarter_to_the_resume(encoder: TextEncoder) -> None:
    lines = [
        f"Requirement {number}: knows Kafka, Python and part {number} of the rest." for number in range(99)
    ]

    prompt = PromptBuilder(encoder, 512).build("\n".join(lines), RESUME * 100)

    read = encoder.decode(prompt.prefix)
    num_read = read.count("Requirement")
    assert 0 < num_read < 99
    assert f"{lines[num_read - 1]}\n\nResume:" in read
    assert (
        prompt.num_job_truncated_tokens
        == len(encoder.encode_outside("\n".join(lines))) - prompt.num_job_tokens
    )
    assert prompt.num_resume_tokens >= 128
    assert prompt.num_tokens == 512


def test_a_long_job_without_lines_is_cut_where_the_room_ends(encoder: TextEncoder) -> None:
    one_line = "Knows Kafka and Python. " * 300

    whole = PromptBuilder(encoder, 8192).build(one_line, RESUME)
    cut = PromptBuilder(encoder, 512).build(one_line, RESUME)
    with_a_title = PromptBuilder(encoder, 512).build("Engineer\n" + one_line, RESUME)

    assert whole.num_job_truncated_tokens == 0
    assert cut.num_job_truncated_tokens == whole.num_job_tokens - cut.num_job_tokens > 0
    assert with_a_title.num_job_tokens == cut.num_job_tokens


def test_all_resumes_of_a_long_job_share_its_prefix(encoder: TextEncoder) -> None:
    builder = PromptBuilder(encoder, 256)

    short, long = builder.build(JOB * 50, "Nurse."), builder.build(JOB * 50, RESUME * 50)

    assert short.prefix == long.prefix
    assert short.num_job_truncated_tokens == long.num_job_truncated_tokens > 0


def test_a_prompt_without_room_for_a_job_is_refused_at_the_start(encoder: TextEncoder) -> None:
    with pytest.raises(SettingsInvalid, match="a prompt of 64 tokens leaves no room"):
        PromptBuilder(encoder, 64)


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
