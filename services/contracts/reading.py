"""How the texts of a pair become a prompt: what scorers, canaries, references and training agree on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

#: Of the texts in ``services/scoring/reading/prompt.py``: an adapter is trained on one version of them.
PROMPT_VERSION = "1"
#: Longest prompt, in tokens, that scorers take unless their settings say otherwise.
DEFAULT_MAX_PROMPT_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """What is done to a pair's texts before they are scored; stored with every adapter.

    Attributes:
        max_prompt_tokens: longest prompt, in tokens.
        max_resume_tokens: how much of a resume is read, in tokens; 0 is no limit of its own.
        is_identity_masked: whether the resume loses what tells who its writer is.
        are_instructions_removed: whether what speaks to the scorer is left out.
    """

    max_prompt_tokens: int = DEFAULT_MAX_PROMPT_TOKENS
    max_resume_tokens: int = 0
    is_identity_masked: bool = True
    are_instructions_removed: bool = True

    def to_json(self) -> dict[str, Any]:
        """Returns what an adapter's metadata hold."""
        return asdict(self)


#: Of an adapter that tells none, and of the base model alone: canaries of older versions were read so.
PLAIN_RULES = ReadingRules(is_identity_masked=False, are_instructions_removed=False)


def rules_from_json(content: Any) -> ReadingRules:
    """Reads what ``ReadingRules.to_json`` wrote; ``PLAIN_RULES`` where nothing was written.

    Raises:
        ValueError: a rule is unknown, missing or of another type: nothing must be read otherwise than its
            adapter's trainer read.
    """
    if content is None:
        return PLAIN_RULES
    if not isinstance(content, Mapping):
        raise ValueError("reading: must be an object")
    kinds = {field.name: type(getattr(PLAIN_RULES, field.name)) for field in fields(ReadingRules)}
    wrong = sorted(
        str(name) for name in kinds.keys() | content.keys() if type(content.get(name)) is not kinds.get(name)
    )
    if wrong:
        raise ValueError(f"reading: {', '.join(wrong)}: unknown, missing or of another type")
    return ReadingRules(**content)


class IdentityKind(StrEnum):
    """What tells who somebody is."""

    NAME = "name"
    PRONOUN = "pronoun"
    CONTACT = "contact"
    ADDRESS = "address"
    AGE = "age"
    PHOTOGRAPH = "photograph"
    PERSONAL_DETAIL = "personal_detail"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class TextReading:
    """What was done to a resume before it was scored: counts, never texts.

    Attributes:
        markup: what it came wrapped in, such as ``html``; empty where it was plain text.
        num_repaired: words and characters mended.
        num_repeated_characters: left out because they stood in it before.
        num_masked: places where something that tells of a person was replaced.
        masked_kinds: what was found and replaced; what is not named here was not found, so may still stand.
        num_removed_characters: left out because they speak to the scorer.
        readable_share: of its visible characters, those in words and numbers, 0 to 1.
        language: ISO 639-1; empty where too little stands in it to tell.
    """

    markup: str = ""
    num_repaired: int = 0
    num_repeated_characters: int = 0
    num_masked: int = 0
    num_removed_characters: int = 0
    readable_share: float = 1.0
    language: str = ""
    masked_kinds: tuple[IdentityKind, ...] = ()
