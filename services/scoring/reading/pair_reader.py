"""From a pair's texts to its prompt: what speaks to the scorer, or tells who somebody is, is left out.

The one way to read a pair: scorers, canaries, references, validation and the gate all read by the rules that
are stored with the adapter (``contracts.reading``).
"""

import logging
import time
import traceback
from dataclasses import dataclass

from services.contracts.errors import InvalidInput, TextsUnreadable
from services.contracts.reading import ReadingRules
from services.scoring.reading.identity_masking import close_seams, join_seams, mask_with_seams
from services.scoring.reading.injection_detector import POSSIBLE_PROMPT_INJECTION, is_suspicious
from services.scoring.reading.instruction_removal import without_instructions
from services.scoring.reading.prompt import Prompt, PromptBuilder
from services.scoring.reading.text_encoder import TextEncoder

log = logging.getLogger(__name__)

#: Of processor time. The largest resume that a topic takes (256 KiB), made to be slow, needs three at most.
MAX_READING_SECONDS = 10.0


class _ReadingTooSlow(Exception):
    """These texts would keep a thread, and Python's lock with it, from everybody else."""


@dataclass(frozen=True, slots=True)
class ReadPair:
    """What reading a pair gave.

    Attributes:
        prompt: what is scored.
        flags: warnings about the texts.
    """

    prompt: Prompt
    flags: tuple[str, ...] = ()


class PairReader:
    """Reads pairs by one set of rules; safe to use from several threads.

    Raises:
        SettingsInvalid: the prompt's length leaves no room for a job.
    """

    def __init__(self, encoder: TextEncoder, rules: ReadingRules) -> None:
        self.rules = rules
        self._prompts = PromptBuilder(encoder, rules.max_prompt_tokens, rules.max_resume_tokens)
        self.before_explanation = self._prompts.before_explanation

    def read(self, job_description: str, resume: str) -> ReadPair:
        """Returns a pair's prompt and the warnings about its texts.

        Raises:
            InvalidInput: a text holds nothing to read (kind ``empty_text``).
            TextsUnreadable: these texts meet a bug; others do not, and go on.
        """
        try:
            return self._read(job_description, resume)
        except InvalidInput:
            raise
        except Exception as error:
            # Not the error itself, in the log or behind the other one: its message may quote the resume.
            place = traceback.extract_tb(error.__traceback__)[-1]
            name = type(error).__name__
            log.error("a pair's texts could not be read: %s at %s:%d", name, place.filename, place.lineno)
            raise TextsUnreadable(f"the texts could not be read ({name})") from None

    def _read(self, job: str, resume: str) -> ReadPair:
        budget, is_flagged = _ReadingBudget(), False
        if self.rules.are_instructions_removed:
            resume, is_flagged = _without_attacks(resume, job)
            budget.check()
        if self.rules.is_identity_masked:
            resume = _masked(resume, job)
            budget.check()
            if self.rules.are_instructions_removed:
                # Once more, on what the model will see: masking may join what an attack has cut up.
                resume, is_joined = _without_attacks(resume, job)
                is_flagged |= is_joined
                budget.check()
        prompt = self._prompts.build(job, resume)
        return ReadPair(prompt, (POSSIBLE_PROMPT_INJECTION,) if is_flagged else ())


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
