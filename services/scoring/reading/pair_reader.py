"""From a pair's texts to its prompt, in an order that can be read.

unwrap markup > repair > tell how readable, in which language > repeats once > attacks out > identity masked >
attacks out of what is left > trim (``prompt``). A job is unwrapped and repaired, no more.

The one way to read a pair: scorers, canaries, references, validation and the gate all read by the rules that
are stored with the adapter (``contracts.reading``).
"""

import logging
import time
import traceback
from dataclasses import dataclass
from functools import lru_cache

from services.contracts.errors import InvalidInput, TextsUnreadable
from services.contracts.reading import IdentityKind, ReadingRules, TextReading
from services.scoring.reading.attacks.copied_job import COPIED_JOB_TEXT, copied_spans
from services.scoring.reading.attacks.injection_detector import POSSIBLE_PROMPT_INJECTION, is_suspicious
from services.scoring.reading.attacks.instruction_removal import without_instructions
from services.scoring.reading.identity.identity_masking import (
    NAME_PLACEHOLDER,
    close_seams,
    join_seams,
    mask_with_seams,
)
from services.scoring.reading.identity.personal_lines import SEAM
from services.scoring.reading.prompt import Prompt, PromptBuilder
from services.scoring.reading.text_encoder import TextEncoder
from services.scoring.reading.texts.legibility import (
    MIN_READABLE_SHARE,
    READ_LANGUAGE,
    UNREADABLE_TEXT,
    WRONG_LANGUAGE,
    language_of,
    readable_share,
)
from services.scoring.reading.texts.markup import unwrap
from services.scoring.reading.texts.repair import repair
from services.scoring.reading.texts.repetition import MIN_REPEATED_SHARE, REPEATED_TEXT, without_repeats

log = logging.getLogger(__name__)

#: Of processor time. The largest resume that a topic takes (256 KiB), made to be slow, needs three at most.
MAX_READING_SECONDS = 10.0
_NUM_REMEMBERED_JOBS = 256
# An instruction over three lines may begin or end at one.
_LINES_BESIDE_A_MASK = 2


class _ReadingTooSlow(Exception):
    """These texts would keep a thread, and Python's lock with it, from everybody else."""


@dataclass(frozen=True, slots=True)
class ReadPair:
    """What reading a pair gave.

    Attributes:
        prompt: what is scored.
        flags: warnings about the texts.
        reading: what was done to the resume.
    """

    prompt: Prompt
    flags: tuple[str, ...] = ()
    reading: TextReading = TextReading()


class PairReader:
    """Reads pairs by one set of rules; safe to use from several threads.

    Raises:
        SettingsInvalid: the prompt's length leaves no room for a job.
    """

    def __init__(self, encoder: TextEncoder, rules: ReadingRules) -> None:
        self.rules = rules
        self._prompts = PromptBuilder(encoder, rules.max_prompt_tokens, rules.max_resume_tokens)
        self._read_job = lru_cache(_NUM_REMEMBERED_JOBS)(_read_job)
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
        budget, job = _ReadingBudget(), self._read_job(job)
        resume, markup = unwrap(resume)
        budget.check()
        resume, num_repaired = repair(resume)
        share, language = readable_share(resume), language_of(resume)
        num_read = len(resume)
        resume, num_repeated = without_repeats(resume)
        is_repeated = num_repeated >= MIN_REPEATED_SHARE * num_read > 0
        num_before, num_masked, attacks = len(resume), 0, frozenset[str]()
        kinds: tuple[IdentityKind, ...] = ()
        budget.check()
        if self.rules.are_instructions_removed:
            resume, attacks = _without_attacks(resume, job)
            budget.check()
        num_removed = num_before - len(resume)
        if self.rules.is_identity_masked:
            resume, changed, num_masked, kinds = _masked(resume, job)
            budget.check()
            # Once more, where masking changed what the model will see: it may join what an attack cut up.
            if self.rules.are_instructions_removed and is_suspicious(changed, job):
                num_before = len(resume)
                resume, joined = _without_attacks(resume, job)
                num_removed += num_before - len(resume)
                attacks |= joined
                budget.check()
        reading = TextReading(
            markup, num_repaired, num_repeated, num_masked, num_removed, round(share, 3), language, kinds
        )
        flags = _flags(reading, attacks, is_repeated=is_repeated)
        return ReadPair(self._prompts.build(job, resume), flags, reading)


def _read_job(job: str) -> str:
    return repair(unwrap(job)[0])[0]


def _flags(reading: TextReading, attacks: frozenset[str], *, is_repeated: bool) -> tuple[str, ...]:
    """Returns the warnings about a resume's text."""
    return tuple(
        flag
        for flag, applies in (
            (POSSIBLE_PROMPT_INJECTION, POSSIBLE_PROMPT_INJECTION in attacks),
            (COPIED_JOB_TEXT, COPIED_JOB_TEXT in attacks),
            (UNREADABLE_TEXT, reading.readable_share < MIN_READABLE_SHARE),
            (WRONG_LANGUAGE, reading.language not in ("", READ_LANGUAGE)),
            (REPEATED_TEXT, is_repeated),
        )
        if applies
    )


def _without_attacks(resume: str, job_description: str) -> tuple[str, frozenset[str]]:
    """Returns a resume without what speaks to the scorer or is the job's, and flags that say so."""
    if not is_suspicious(resume, job_description):
        return resume, frozenset()
    copied = {COPIED_JOB_TEXT} if copied_spans(resume, job_description) else set()
    return without_instructions(resume, job_description), frozenset({POSSIBLE_PROMPT_INJECTION, *copied})


def _masked(resume: str, job_description: str) -> tuple[str, str, int, tuple[IdentityKind, ...]]:
    """Returns a masked resume, its lines around masks, in how many places and of which kinds.

    Joined where an attack was cut up.
    """
    masked = mask_with_seams(resume)
    num_masked = (
        masked.text.count(SEAM) + masked.text.count(NAME_PLACEHOLDER) - resume.count(NAME_PLACEHOLDER)
    )
    near = _near_masks(masked.text)
    joined = join_seams(near)
    is_cut_up = joined != near and is_suspicious(joined, job_description)
    close = join_seams if is_cut_up else close_seams
    return close(masked.text), close(near), max(0, num_masked), tuple(sorted(masked.kinds))


def _near_masks(masked: str) -> str:
    """Returns the lines that masking has cut or named, with so many beside them as an attack may span."""
    lines = masked.split("\n")
    near: set[int] = set()
    for at, line in enumerate(lines):
        if SEAM in line or NAME_PLACEHOLDER in line:
            near.update(range(at - _LINES_BESIDE_A_MASK, at + _LINES_BESIDE_A_MASK + 1))
    return "\n".join(line for at, line in enumerate(lines) if at in near)


class _ReadingBudget:
    """What reading one pair may cost this thread; looked at between the steps, each of which is linear."""

    def __init__(self) -> None:
        self._until = time.thread_time() + MAX_READING_SECONDS

    def check(self) -> None:
        if time.thread_time() > self._until:
            raise _ReadingTooSlow
