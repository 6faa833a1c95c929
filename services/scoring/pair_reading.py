"""From a pair's texts to its prompt: what speaks to the scorer, or tells who somebody is, is left out."""

import logging
import time
import traceback

from services.contracts.errors import InvalidInput, TextsUnreadable
from services.contracts.scoring import PairRequest
from services.scoring.identity_masking import close_seams, join_seams, mask_with_seams
from services.scoring.injection_detector import POSSIBLE_PROMPT_INJECTION, is_suspicious
from services.scoring.instruction_removal import without_instructions
from services.scoring.prompt import Prompt, PromptBuilder

log = logging.getLogger(__name__)

#: Of processor time. The largest resume that a topic takes (256 KiB), made to be slow, needs three at most.
MAX_READING_SECONDS = 10.0


class _ReadingTooSlow(Exception):
    """These texts would keep a thread, and Python's lock with it, from everybody else."""


def read_pair(
    request: PairRequest, prompts: PromptBuilder, *, is_identity_masked: bool
) -> tuple[Prompt, tuple[str, ...]]:
    """Returns a pair's prompt and the warnings about its texts.

    Args:
        request: the two texts.
        prompts: builds the prompt.
        is_identity_masked: whether the resume loses what tells who its writer is.

    Raises:
        InvalidInput: a text holds nothing to read, or the job alone is too long.
        TextsUnreadable: these texts meet a bug; others do not, and go on.
    """
    try:
        return _read(request, prompts, is_identity_masked)
    except InvalidInput:
        raise
    except Exception as error:
        # Not the error itself, in the log or behind the other one: its message may quote the resume.
        place = traceback.extract_tb(error.__traceback__)[-1]
        name = type(error).__name__
        log.error("a pair's texts could not be read: %s at %s:%d", name, place.filename, place.lineno)
        raise TextsUnreadable(f"the texts could not be read ({name})") from None


def _read(
    request: PairRequest, prompts: PromptBuilder, is_identity_masked: bool
) -> tuple[Prompt, tuple[str, ...]]:
    job, budget = request.job_description, _ReadingBudget()
    resume, is_flagged = _without_attacks(request.resume, job)
    budget.check()
    if is_identity_masked:
        # Once more, on what the model will see: masking may join what an attack has cut up.
        resume, is_joined = _without_attacks(_masked(resume, job), job)
        is_flagged |= is_joined
        budget.check()
    prompt = prompts.build(job, resume)
    return prompt, (POSSIBLE_PROMPT_INJECTION,) if is_flagged else ()


def _without_attacks(resume: str, job_description: str) -> tuple[str, bool]:
    """Returns a resume without what speaks to the scorer, and whether there was any."""
    if not is_suspicious(resume, job_description):
        return resume, False
    return without_instructions(resume, job_description), True


def _masked(resume: str, job_description: str) -> str:
    """Returns a masked resume, joined where it was cut up if that reads as an attack."""
    masked = mask_with_seams(resume)
    joined = join_seams(masked)
    is_cut_up = joined != masked and is_suspicious(joined, job_description)
    return joined if is_cut_up else close_seams(masked)


class _ReadingBudget:
    """What reading one pair may cost this thread; looked at between the steps, each of which is linear."""

    def __init__(self) -> None:
        self._until = time.thread_time() + MAX_READING_SECONDS

    def check(self) -> None:
        if time.thread_time() > self._until:
            raise _ReadingTooSlow
