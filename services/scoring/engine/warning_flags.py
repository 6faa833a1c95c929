"""Warnings that a result carries for whoever reads it; none of them changes a score."""

from services.contracts.reference import PROMPT_TOKEN_EDGES, ReferenceFigures, bin_of
from services.contracts.scoring import ScoreDistribution
from services.scoring.reading.prompt import Prompt

#: The end of the resume did not fit the length budget.
TRUNCATED = "truncated"
#: The end of the job did not fit the length budget.
JOB_TRUNCATED = "job_truncated"
#: A text is shorter than what the adapter was measured on.
TOO_SHORT = "too_short"
#: The distribution is so wide that its mean says little.
LOW_CONFIDENCE = "low_confidence"
#: The prompt is of a length that the adapter hardly met in training.
OUT_OF_DISTRIBUTION = "out_of_distribution"

# Points; a score drawn evenly from 0 to 100 has 29.
_WIDE_STANDARD_DEVIATION = 25.0
# One in a hundred of the reference prompts.
_RARE_SHARE = 0.01


def warning_flags(
    distribution: ScoreDistribution, prompt: Prompt, reference: ReferenceFigures | None
) -> tuple[str, ...]:
    """Returns the warnings of one result.

    Args:
        reference: of the adapter's training pairs; None tells nothing about what is usual.
    """
    flags = []
    if prompt.num_truncated_tokens:
        flags.append(TRUNCATED)
    if prompt.num_job_truncated_tokens:
        flags.append(JOB_TRUNCATED)
    if reference is not None and _is_too_short(prompt, reference):
        flags.append(TOO_SHORT)
    if distribution.standard_deviation > _WIDE_STANDARD_DEVIATION:
        flags.append(LOW_CONFIDENCE)
    if reference is not None:
        alike = reference.prompt_tokens[bin_of(prompt.num_tokens, PROMPT_TOKEN_EDGES)]
        if alike < _RARE_SHARE * sum(reference.prompt_tokens):
            flags.append(OUT_OF_DISTRIBUTION)
    return tuple(flags)


def _is_too_short(prompt: Prompt, reference: ReferenceFigures) -> bool:
    return (
        prompt.num_job_tokens < reference.shortest_job_tokens
        or prompt.num_resume_tokens < reference.shortest_resume_tokens
    )
