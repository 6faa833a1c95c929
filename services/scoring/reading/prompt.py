"""The one prompt that scoring and training share.

The job stands before the resume, so that its tokens are a prefix which all resumes of a job share.
Change any text here and ``PROMPT_VERSION`` (contracts/reading.py) must change with it:
adapters are trained on one version.
"""

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.contracts.errors import FieldViolation, InvalidInput, SettingsInvalid
from services.contracts.outcomes import InputFault
from services.scoring.reading.text_encoder import TextEncoder

_BEFORE_JOB = (
    "You are an experienced recruiter. Judge how well the resume fits the job, "
    "from 0 (no fit at all) to 100 (perfect fit).\n\n"
    "Job description:\n"
)
_BETWEEN = "\n\nResume:\n"
# Ends in a space: "Score: 85" is written Score, :, space, 8, 5.
_QUESTION, _ANSWER = "\n\nHow well does the resume fit the job?", "Score: "
#: What leads from the score to its explanation.
BEFORE_EXPLANATION = "\nReasoning:"

# Of the prompt's length, kept free for the resume: what a longer job says is not read. It counts for every
# resume, however short, since all resumes of a job share its prefix.
_RESUME_SHARE = 1 / 4
# A cut at a line's end that would leave less of a job's room in use is made within the line.
_MIN_USED_SHARE = 1 / 2
_NUM_REMEMBERED_JOBS = 256


@dataclass(frozen=True, slots=True)
class Prompt:
    """One pair as token ids.

    Attributes:
        prefix: up to and including the job; the same for every resume of it.
        suffix: the resume and everything behind it, up to where the score begins.
        num_truncated_tokens: tokens cut from the end of the resume.
        prefix_digest: ``digest_of`` the prefix, once a job: the queue and the cache compare prefixes often.
        num_job_truncated_tokens: tokens cut from the end of the job.
        num_job_tokens: tokens of the job that are read.
        num_resume_tokens: tokens of the resume that are read.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    num_truncated_tokens: int
    prefix_digest: bytes
    num_job_truncated_tokens: int = 0
    num_job_tokens: int = 0
    num_resume_tokens: int = 0

    @property
    def num_tokens(self) -> int:
        """Returns the length of the whole prompt."""
        return len(self.prefix) + len(self.suffix)


def digest_of(tokens: Sequence[int]) -> bytes:
    """Returns a digest that tells token sequences apart (BLAKE2b, 256 bits)."""
    return hashlib.blake2b(array("I", tokens).tobytes(), digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class _Prefix:
    tokens: tuple[int, ...]
    digest: bytes
    num_job_tokens: int
    num_job_truncated_tokens: int


class PromptBuilder:
    """Builds prompts within a length budget; safe to use from several threads.

    Args:
        max_prompt_tokens: longest prompt; the job has three quarters of it at most, the resume the rest.
        max_resume_tokens: longest resume; 0 leaves it to ``max_prompt_tokens`` alone.

    Raises:
        SettingsInvalid: ``max_prompt_tokens`` leaves no room for a job.
    """

    def __init__(self, encoder: TextEncoder, max_prompt_tokens: int, max_resume_tokens: int = 0) -> None:
        self._encoder = encoder
        self._max_prompt_tokens = max_prompt_tokens
        self._max_resume_tokens = max_resume_tokens or max_prompt_tokens
        turns = encoder.turns
        self._before_job = encoder.encode_template(turns.start + turns.user + _BEFORE_JOB)
        self._between = encoder.encode_template(_BETWEEN)
        self._behind_resume = encoder.encode_template(_QUESTION + turns.end + turns.model + _ANSWER)
        self.before_explanation = tuple(encoder.encode_template(BEFORE_EXPLANATION))
        num_own = len(self._before_job) + len(self._between) + len(self._behind_resume)
        self._max_job_tokens = max_prompt_tokens - num_own - int(max_prompt_tokens * _RESUME_SHARE)
        if self._max_job_tokens < 1:
            raise SettingsInvalid(f"a prompt of {max_prompt_tokens} tokens leaves no room for a job")
        self._prefix_of = lru_cache(_NUM_REMEMBERED_JOBS)(self._encode_prefix)

    def build(self, job_description: str, resume: str) -> Prompt:
        """Builds the prompt of one pair.

        Args:
            job_description: the job's text; what does not fit is cut from its end, by lines.
            resume: the resume's text; what does not fit is cut from its end.

        Raises:
            InvalidInput: a text holds nothing to read (kind ``empty_text``).
        """
        prefix = self._prefix_of(job_description)
        resume_tokens = self._encoder.encode_outside(resume)
        if not resume_tokens:
            raise _invalid("resume", "holds no readable text")
        room = self._max_prompt_tokens - len(prefix.tokens) - len(self._behind_resume)
        kept = resume_tokens[: min(room, self._max_resume_tokens)]
        return Prompt(
            prefix=prefix.tokens,
            suffix=(*kept, *self._behind_resume),
            num_truncated_tokens=len(resume_tokens) - len(kept),
            prefix_digest=prefix.digest,
            num_job_truncated_tokens=prefix.num_job_truncated_tokens,
            num_job_tokens=prefix.num_job_tokens,
            num_resume_tokens=len(kept),
        )

    def _encode_prefix(self, job_description: str) -> _Prefix:
        job_tokens = self._encoder.encode_outside(job_description)
        if not job_tokens:
            raise _invalid("job.description", "holds no readable text")
        kept = job_tokens
        if len(job_tokens) > self._max_job_tokens:
            kept = self._whole_lines(job_description) or job_tokens[: self._max_job_tokens]
        tokens = (*self._before_job, *kept, *self._between)
        return _Prefix(tokens, digest_of(tokens), len(kept), len(job_tokens) - len(kept))

    def _whole_lines(self, job_description: str) -> list[int] | None:
        """Returns the tokens of as many lines as fit; None where they use too little of the room."""
        lines = job_description.splitlines(keepends=True)
        kept: list[int] = []
        fits, too_many = 0, len(lines)
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            tokens = self._encoder.encode_outside("".join(lines[:middle]))
            if len(tokens) <= self._max_job_tokens:
                fits, kept = middle, tokens
            else:
                too_many = middle
        return kept if len(kept) >= _MIN_USED_SHARE * self._max_job_tokens else None


def _invalid(field: str, description: str) -> InvalidInput:
    return InvalidInput(InputFault.EMPTY_TEXT, [FieldViolation(field, description)])
