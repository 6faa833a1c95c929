"""Replaces what tells who a candidate is, so that it cannot reach the model: names, pronouns, contacts, age.

What a person did and can do stays. Rules, not a model: the same text gives the same words everywhere, in
a few milliseconds, and a reader can see why. What they miss is measured by ``resume-scorer audit``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from importlib.resources import files

import phonenumbers
import regex
from faker.providers.person.en_GB import Provider as British
from faker.providers.person.en_IN import Provider as Indian
from faker.providers.person.en_US import Provider as American
from faker.providers.person.es_MX import Provider as Mexican
from faker.providers.person.vi_VN import Provider as Vietnamese

from services.contracts.reading import IdentityKind
from services.scoring.reading.identity.personal_lines import (
    ADDRESS_LINE,
    CONTACT_LINE,
    NAME_LINE,
    PERSONAL_LINE,
    PHOTO_MARK,
    PHOTO_WORDS,
    SEAM,
)

#: What stands in place of the candidate's name.
NAME_PLACEHOLDER = "Candidate"

# A name stands at the very top, or behind a label; further down capitalised words are employers and tools.
_NUM_HEAD_LINES = 6
_MAX_NAME_WORDS = 5
_MAX_NAME_CHARACTERS = 60
_MAX_LINE_CHARACTERS = 240
_SHORTEST_NAME_PART = 3
# A number that short is no telephone number; phonenumbers decides about the others.
_PHONE_CANDIDATE = re.compile(r"(?<![\w.,/-])\+?\(?\d[\d\s().-]{7,18}\d(?![\w/])")
# Where a run of such letters begins: tried from each of its letters, a long one would take quadratic time.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PROFILE_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?:linkedin\.com|github\.com|gitlab\.com|facebook\.com|instagram\.com|x\.com|twitter\.com)"
    r"/[\w./%-]+",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"\b\d{1,5}\s+(?:[NSEW]\.?\s+)?(?:[A-Z][\w.']*\s+){1,4}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Way|Terrace|Parkway|Pkwy)\b\.?"
    r"(?:,?\s*(?:Apt|Apartment|Unit|Suite|#)\.?\s*\w+)?"
)
_POSTCODE = re.compile(r"\b([A-Z]{2})\s+\d{5}(?:-\d{4})?\b")

_AGE = re.compile(
    r"\b(?:aged?\s+\d{2}\b(?!\s*(?:-|to|and|or|\+))"
    r"|\d{2}[- ]years?[- ]old\b(?!\s+(?:compan|business|firm|system|code)))",
    re.IGNORECASE,
)
_GRADUATION = re.compile(
    r"\b(?:class of|graduat(?:ed|ion)(?: date| year)?(?: in)?:?)\s+(?:[A-Z][a-z]+\.?\s+)?(?:19|20)\d\d\b",
    re.IGNORECASE,
)
_EDUCATION_LINE = re.compile(
    r"\b(?:bachelor|master|associate|doctor|ph\.?d|b\.?sc?|m\.?sc?|b\.?a|m\.?b\.?a|diploma|degree|university|"
    r"college|institute|school)\b",
    re.IGNORECASE,
)
# Leading white space from its beginning alone: tried from each blank, a long run would take quadratic time.
_EDUCATION_YEARS = re.compile(
    r"(?:[,|(–-]\s*|(?<!\s)\s*)\b(?:19|20)\d\d\b(?:\s*(?:-|–|to)\s*(?:(?:19|20)\d\d\b|present))?\)?",
    re.IGNORECASE,
)
_WORK_WORD = re.compile(
    r"\b(?:present|teacher|lecturer|professor|nurse|engineer|manager|assistant|intern|experience|hospital|clinic|"
    r"medical cent(?:er|re)|press|library|bookstore|laborator(?:y|ies))\b",
    re.IGNORECASE,
)

_PRONOUN_NOTE = re.compile(
    r"[\[(]?\b(?:she|he|they)\s*/\s*(?:her|him|them)(?:\s*/\s*\w+)?\b[\])]?", re.IGNORECASE
)
_SLASH_AND_PRONOUN = re.compile(r"/\s*(?:her|him|them)")
_PRONOUNS = {
    "he": "they",
    "she": "they",
    "him": "them",
    "his": "their",
    "her": "them",
    "hers": "theirs",
    "himself": "themselves",
    "herself": "themselves",
}
_HER_SOMETHING = re.compile(
    r"\b(her)(?=\s+(?!(?:to|for|and|or|with|in|on|at|by|as|from|who|that|because|when|while|if|but)\b)\w)",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(" + "|".join(_PRONOUNS) + r")\b", re.IGNORECASE)
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Mx)\b\.?\s+(?=[A-Z])")
# "Black" alone may be a belt and "Asian" a market: only beside a society's word do these tell of a person.
_GROUP = (
    r"(?:women|woman|female|men|male|girls?|ladies|sisters|brothers|black|african[- ]american|hispanic|"
    r"latin[oax]s?|chican[oa]s?|asian(?:[- ]american)?|asian pacific islander|chinese|indian|white|lgbtq?\+?|"
    r"jewish|muslim|christian)"
)
_SOCIETY = (
    r"(?:society|association|network|club|chapter|league|union|alliance|caucus|organi[sz]ation|fraternity|sorority|"
    r"committee|council|foundation|mentor(?:ing|ship)?|team)"
)
_SOCIETY_WORD = re.compile(rf"\b{_SOCIETY}\b", re.IGNORECASE)
_SOCIETY_PHRASE = re.compile(r"[^.;,|]+")
_GROUP_WORDS = re.compile(
    rf"(?<!\s)\s*\b(?:(?:of|for|in)\s+)?{_GROUP}(?:(?:'s|s')|\b)(?:\s+(?:and|&)\s+{_GROUP}\b)*(?:\s+in\b(?=\s+[A-Z]))?",
    re.IGNORECASE,
)
_FRATERNITY = re.compile(r"\b(?:fraternity|sorority)\b", re.IGNORECASE)
_WOMEN_IN = re.compile(r"\b(?:Women|Girls|Men)\s+(?:Who\s+Code|in\s+(?=[A-Z]))", re.IGNORECASE)
_MEN_AND_A_SPACE = re.compile(r"men\s")

_NAME_WORD = regex.compile(
    r"^(?:\p{Lu}[\w'’.-]*|\p{Lo}{1,12}|de|da|do|dos|di|del|della|van|von|der|den|la|le|al|el|bin|ibn|bint|y|af|ten|ter)$"
)
_NAME_LABEL = re.compile(
    r"^[ \t#*>]*(?:(?:full )?name\s*[:=]|(?:resume|r[ée]sum[ée]|cv|curriculum vitae)\s*(?:of|for|[:|-]))\s*",
    re.IGNORECASE,
)
_INTRODUCTION = regex.compile(r"\b[Mm]y name is\s+((?:\p{Lu}[\w'’-]+\s*){1,4})")
# Words of titles and headings: a first line that holds one of these is no name.
_NO_NAME = re.compile(
    r"\b(?:resume|cv|vitae|summary|profile|objective|experience|skills?|education|contact|about|work|employment|"
    r"professional|career|background|certifications?|languages?|references?|qualifications?|highlights?|"
    r"engineer|developer|manager|nurse|teacher|analyst|assistant|associate|accountant|architect|administrator|"
    r"consultant|coordinator|clerk|chef|cook|designer|director|driver|electrician|executive|head|lead|officer|"
    r"operator|owner|barber|baker|farmer|welder|waiter|server|cashier|carpenter|painter|pharmacist|physician|plumber|president|programmer|representative|sales|scientist|secretary|senior|"
    r"junior|specialist|supervisor|technician|therapist|welder|writer|worker|attorney|lawyer|paralegal|mechanic|"
    r"buyer|planner|recruiter|researcher|trainer|inc|llc|ltd|corp|company|university|college|school|hospital|clinic|"
    r"department|software|data|project|product|marketing|finance|business|human|customer|health|medical|systems?)\b",
    re.IGNORECASE,
)
# Endings of callings and fields, by which "Registered Dietitian" at the top is told from "Ravi Mbeki".
_NO_NAME_ENDING = re.compile(
    r"(?:ist|ista|ian|eer|tion|sion|ing|ment|ics|ogy|ship|care|tech|ware|ance|ence|ered|fied|ity|ive|ary|ative)s?$",
    re.IGNORECASE,
)
_SEAM_IN_A_WORD = re.compile(rf"(?<=\w){SEAM}+(?=\w)")
_SEAM_AND_SURROUNDINGS = re.compile(rf"(?<!\s)[ \t]*[(<\[{{]?(?:{SEAM}[ \t]*)+[)>\]}}]?[ \t]*")
_BLANK_RUN = re.compile(r"[ \t]{2,}")


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A resume without what tells who its writer is, and of which kinds that was."""

    text: str
    kinds: frozenset[IdentityKind]


def mask_identity(resume: str) -> str:
    """Returns a resume without what tells who its writer is; see ``mask_with_seams``."""
    return close_seams(mask_with_seams(resume).text)


def close_seams(masked: str) -> str:
    """Returns a text of ``mask_with_seams`` as it is read: what stood apart does not become one word."""
    text = _SEAM_IN_A_WORD.sub(" ", masked).replace(SEAM, "")
    return _BLANK_RUN.sub(" ", text)


def join_seams(masked: str) -> str:
    """Returns the same text as an attack reads that was cut up by what masking deletes: joined again."""
    return _SEAM_AND_SURROUNDINGS.sub("", masked)


def mask_with_seams(resume: str) -> MaskedText:
    """Returns a resume without what tells who its writer is, with ``SEAM`` wherever something was deleted.

    The name at the top, and each of its parts wherever it stands again, becomes ``NAME_PLACEHOLDER``;
    pronouns become "they"; e-mail addresses, telephone numbers, links to profiles, streets and postcodes,
    age, date of birth, years of graduation, photographs and lines such as "Nationality: ..." go; societies
    lose the word for a group ("Society of Women Engineers": "Society of Engineers"). A school keeps its name.

    Args:
        resume: the text, with its line ends as they came.
    """
    text = resume.replace(SEAM, " ")
    kinds: set[IdentityKind] = set()
    for kind, mask in _masks(text):
        masked = mask(text)
        if masked != text:
            kinds.add(kind)
        text = masked
    return MaskedText(
        re.sub(rf"(?:\b{NAME_PLACEHOLDER}\b[ \t.]*){{2,}}", NAME_PLACEHOLDER, text), frozenset(kinds)
    )


def _masks(resume: str) -> Iterator[tuple[IdentityKind, Callable[[str], str]]]:
    """Yields what masks, in its order, each with the kind of thing that it masks."""
    names, lowered = _names_of(resume), _lower(resume)

    def deleted(*patterns: re.Pattern[str]) -> Callable[[str], str]:
        return lambda text: reduce(lambda left, pattern: pattern.sub(SEAM, left), patterns, text)

    # Looking for a word is a hundred times as fast as a pattern that may begin anywhere.
    if "@" in lowered:
        yield IdentityKind.CONTACT, deleted(_EMAIL)
    if ".com/" in lowered:
        yield IdentityKind.CONTACT, deleted(_PROFILE_LINK)
    yield IdentityKind.CONTACT, partial(_PHONE_CANDIDATE.sub, _without_phone)
    yield IdentityKind.NAME, deleted(NAME_LINE)
    yield IdentityKind.PERSONAL_DETAIL, deleted(PERSONAL_LINE)
    yield IdentityKind.ADDRESS, deleted(ADDRESS_LINE)
    yield IdentityKind.CONTACT, deleted(CONTACT_LINE)
    if any(word in lowered for word in PHOTO_WORDS):
        yield IdentityKind.PHOTOGRAPH, deleted(PHOTO_MARK)
    yield IdentityKind.ADDRESS, deleted(_STREET)
    yield IdentityKind.AGE, deleted(_AGE)
    if "class of" in lowered or "graduat" in lowered:
        yield IdentityKind.AGE, deleted(_GRADUATION)
    if _SLASH_AND_PRONOUN.search(lowered):
        yield IdentityKind.PRONOUN, deleted(_PRONOUN_NOTE)
    yield IdentityKind.ADDRESS, partial(_POSTCODE.sub, r"\1")
    yield IdentityKind.PRONOUN, partial(_HER_SOMETHING.sub, _their)
    if any(title in resume for title in ("Mr", "Ms", "Miss", "Mx")):
        yield IdentityKind.PRONOUN, deleted(_TITLE)
    yield IdentityKind.PRONOUN, partial(_PRONOUN.sub, _neutral_pronoun)
    if "girls" in lowered or _MEN_AND_A_SPACE.search(lowered):
        yield IdentityKind.GROUP, deleted(_WOMEN_IN)
    yield IdentityKind.GROUP, partial(_each_line, _without_groups)
    yield IdentityKind.AGE, partial(_each_line, _without_education_years)
    for name in names:
        # Not in lower case: "Banks" is a name, "banks" are employers.
        spellings = "|".join(re.escape(spelling) for spelling in {name, name.upper(), name.title()})
        yield IdentityKind.NAME, partial(re.compile(rf"(?<!\w)(?:{spellings})(?!\w)").sub, NAME_PLACEHOLDER)


def _their(found: re.Match[str]) -> str:
    return "Their" if found.group()[0] == "H" else "their"


def _lower(text: str) -> str:
    """Returns the text in lower case as ``re.IGNORECASE`` sees it: dotless, dotted and long letters, too."""
    if text.isascii():
        return text.lower()
    return text.casefold().replace("\u0131", "i").replace("\u0307", "")


def _names_of(resume: str) -> list[str]:
    """Returns the candidate's name and its parts, the longest first; none where the top tells no name."""
    lines = [line.strip() for line in resume.split("\n") if line.strip()][:_NUM_HEAD_LINES]
    for index, line in enumerate(lines):
        labelled = _NAME_LABEL.match(line)
        words = _name_words(line[labelled.end() :] if labelled else line)
        if not words:
            continue
        has_contact = any(
            _EMAIL.search(near) or _PHONE_CANDIDATE.search(near) for near in lines[index : index + 3]
        )
        is_told = labelled or has_contact or words[0].lower() in _first_names()
        if is_told or (index == 0 and not any(map(_NO_NAME_ENDING.search, words))):
            return _with_parts(words)
    introduced = _INTRODUCTION.search(resume) if "y name is" in resume else None
    return _with_parts(introduced.group(1).split()) if introduced else []


def _name_words(line: str) -> list[str]:
    """Returns the words of a line that reads like a name, without what follows it; else none."""
    # A text that lost its line ends is one long line; no name reaches that far.
    beginning = line.strip(" #*_>")[: 3 * _MAX_NAME_CHARACTERS]
    head = re.split(r"\s*(?:[|•·,;(\[]|\s[–—-]\s|\t|\s{3,})", beginning, maxsplit=1)[0]
    words = head.strip(" *_").split()
    is_name = (
        2 <= len(words) <= _MAX_NAME_WORDS
        and len(head) <= _MAX_NAME_CHARACTERS
        and all(_NAME_WORD.match(word) for word in words)
        and not any(character.isdigit() for character in head)
        and not _NO_NAME.search(head)
        and not all(word.lower().strip(".,") in _technologies() for word in words)
    )
    return words if is_name else []


def _with_parts(words: list[str]) -> list[str]:
    # "Ruby" alone is a language wherever it stands again, whoever is called so.
    parts = [
        word
        for word in words
        if len(word.strip(".")) >= _SHORTEST_NAME_PART
        and not word[0].islower()
        and word.lower() not in _technologies()
    ]
    return [" ".join(words), *parts]


@lru_cache(1)
def _first_names() -> frozenset[str]:
    providers = (American, British, Indian, Mexican, Vietnamese)
    return frozenset(name.lower() for provider in providers for name in provider.first_names)


@lru_cache(1)
def _technologies() -> frozenset[str]:
    lines = files(__package__).joinpath("technologies.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _without_phone(found: re.Match[str]) -> str:
    try:
        number = phonenumbers.parse(found.group(), "US")
    except phonenumbers.NumberParseException:
        return found.group()
    return SEAM if phonenumbers.is_possible_number(number) else found.group()


def _neutral_pronoun(found: re.Match[str]) -> str:
    word = found.group()
    neutral = _PRONOUNS[_lower(word)]
    return neutral.capitalize() if word[0].isupper() else neutral


def _each_line(mask: Callable[[str], str], text: str) -> str:
    # A longer line is a text that lost its line ends: too much of it would be taken for a heading.
    return "\n".join(line if len(line) > _MAX_LINE_CHARACTERS else mask(line) for line in text.split("\n"))


def _without_groups(line: str) -> str:
    return _SOCIETY_PHRASE.sub(_without_group, line) if _SOCIETY_WORD.search(line) else line


def _without_group(found: re.Match[str]) -> str:
    phrase = found.group()
    if not _SOCIETY_WORD.search(phrase):
        return phrase
    return _FRATERNITY.sub("organization", _GROUP_WORDS.sub(_keep_preposition, phrase))


def _keep_preposition(found: re.Match[str]) -> str:
    """Keeps "of" before what follows: "Society of Women Engineers" reads on as "Society of Engineers"."""
    preposition = re.match(r"\s*(of|for|in)\b", found.group(), re.IGNORECASE)
    return f" {preposition.group(1)}" if preposition else SEAM


def _without_education_years(line: str) -> str:
    """Returns a line of education without its years: they tell an age, and nothing that a job asks for."""
    if not _EDUCATION_LINE.search(line) or _WORK_WORD.search(line):
        return line
    return _EDUCATION_YEARS.sub(SEAM, line)
