"""From a pair's texts to its prompt: what speaks to the scorer, or tells who somebody is, is left out."""

import logging
import traceback

from services.contracts.errors import InvalidInput, TextsUnreadable
from services.contracts.scoring import PairRequest
from services.scoring.identity_masking import mask_identity
from services.scoring.injection_detector import POSSIBLE_PROMPT_INJECTION, is_suspicious
from services.scoring.instruction_removal import without_instructions
from services.scoring.prompt import Prompt, PromptBuilder

log = logging.getLogger(__name__)


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
    resume = request.resume
    is_flagged = is_suspicious(resume, request.job_description)
    if is_flagged:
        resume = without_instructions(resume, request.job_description)
    if is_identity_masked:
        resume = mask_identity(resume)
    prompt = prompts.build(request.job_description, resume)
    return prompt, (POSSIBLE_PROMPT_INJECTION,) if is_flagged else ()
