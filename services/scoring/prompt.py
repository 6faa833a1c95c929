"""The one prompt that scoring and training share.

The job stands before the resume, so that its tokens are a prefix which all resumes of a job share.
Change any text here and ``PROMPT_VERSION`` must change with it: adapters are trained on one version.
"""

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.contracts.errors import FieldViolation, InvalidInput
from services.scoring.text_encoder import TextEncoder

PROMPT_VERSION = "1"

_BEFORE_JOB = (
    "<bos><start_of_turn>user\n"
    "You are an experienced recruiter. Judge how well the resume fits the job, "
    "from 0 (no fit at all) to 100 (perfect fit).\n\n"
    "Job description:\n"
)
_BETWEEN = "\n\nResume:\n"
# Ends in a space: "Score: 85" is written Score, :, space, 8, 5.
_BEHIND_RESUME = "\n\nHow well does the resume fit the job?<end_of_turn>\n<start_of_turn>model\nScore: "
#: What leads from the score to its explanation.
BEFORE_EXPLANATION = "\nReasoning:"

# A resume cut shorter than this says too little to be judged.
MIN_RESUME_TOKENS = 64
_NUM_REMEMBERED_JOBS = 256


@dataclass(frozen=True, slots=True)
class Prompt:
    """One pair as token ids.

    Attributes:
        prefix: up to and including the job; the same for every resume of it.
        suffix: the resume and everything behind it, up to where the score begins.
        num_truncated_tokens: tokens cut from the end of the resume.
        prefix_digest: ``digest_of`` the prefix, once a job: the queue and the cache compare prefixes often.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    num_truncated_tokens: int
    prefix_digest: bytes

    @property
    def num_tokens(self) -> int:
        """Returns the length of the whole prompt."""
        return len(self.prefix) + len(self.suffix)


def digest_of(tokens: Sequence[int]) -> bytes:
    """Returns a digest that tells token sequences apart (BLAKE2b, 256 bits)."""
    return hashlib.blake2b(array("I", tokens).tobytes(), digest_size=32).digest()


class PromptBuilder:
    """Builds prompts within a length budget; safe to use from several threads.

    Args:
        encoder: of the base model.
        max_prompt_tokens: longest prompt; the resume is trimmed to fit it, the job never.
        max_resume_tokens: longest resume; 0 leaves it to ``max_prompt_tokens`` alone.
    """

    def __init__(self, encoder: TextEncoder, max_prompt_tokens: int, max_resume_tokens: int = 0) -> None:
        self._encoder = encoder
        self._max_prompt_tokens = max_prompt_tokens
        self._max_resume_tokens = max_resume_tokens or max_prompt_tokens
        self._before_job = encoder.encode_template(_BEFORE_JOB)
        self._between = encoder.encode_template(_BETWEEN)
        self._behind_resume = encoder.encode_template(_BEHIND_RESUME)
        self.before_explanation = tuple(encoder.encode_template(BEFORE_EXPLANATION))
        self._prefix_of = lru_cache(_NUM_REMEMBERED_JOBS)(self._encode_prefix)

    def build(self, job_description: str, resume: str, *, is_whole: bool = False) -> Prompt:
        """Builds the prompt of one pair.

        Args:
            job_description: the job's text.
            resume: the resume's text.
            is_whole: whether ``max_resume_tokens`` does not count: canaries mean the same in every process.

        Raises:
            InvalidInput: a text holds nothing to read (kind ``empty_text``), or the job alone leaves no
                room for a resume (kind ``job_too_long``).
        """
        prefix, prefix_digest = self._prefix_of(job_description)
        resume_tokens = self._encoder.encode_outside(resume)
        if not resume_tokens:
            raise _invalid("empty_text", "resume", "holds no readable text")
        room = self._max_prompt_tokens - len(prefix) - len(self._behind_resume)
        if room < min(MIN_RESUME_TOKENS, len(resume_tokens)):
            limit = self._max_prompt_tokens - len(self._behind_resume) - MIN_RESUME_TOKENS
            raise _invalid(
                "job_too_long",
                "job.description",
                f"takes {len(prefix)} tokens with its instruction; the limit is {limit}",
            )
        kept = resume_tokens[: room if is_whole else min(room, self._max_resume_tokens)]
        return Prompt(
            prefix=prefix,
            suffix=(*kept, *self._behind_resume),
            num_truncated_tokens=len(resume_tokens) - len(kept),
            prefix_digest=prefix_digest,
        )

    def _encode_prefix(self, job_description: str) -> tuple[tuple[int, ...], bytes]:
        job_tokens = self._encoder.encode_outside(job_description)
        if not job_tokens:
            raise _invalid("empty_text", "job.description", "holds no readable text")
        prefix = (*self._before_job, *job_tokens, *self._between)
        return prefix, digest_of(prefix)


def _invalid(kind: str, field: str, description: str) -> InvalidInput:
    return InvalidInput(kind, [FieldViolation(field, description)])
