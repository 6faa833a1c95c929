"""Reads the plain cases: one TOML file an occupation, in ``train`` or, for judging alone, in ``unseen``."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

Split = Literal["train", "unseen"]
Length = Literal["short", "medium", "long"]
Person = Literal[
    "full_match", "other_words", "overqualified", "junior", "adjacent", "unrelated", "keyword_list"
]
Verdict = Literal["yes", "partly", "no"]

FOLDER = Path(__file__).parent
LENGTHS: tuple[Length, ...] = get_args(Length)
PEOPLE: tuple[Person, ...] = get_args(Person)
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
#: Fewest and most words of a job, by its length.
JOB_WORDS: dict[Length, tuple[int, int]] = {"short": (15, 45), "medium": (85, 190), "long": (380, 800)}
#: The same of a resume.
RESUME_WORDS: dict[Length, tuple[int, int]] = {"short": (12, 60), "medium": (60, 190), "long": (200, 600)}
# A fragment must tell its sentence from the others.
MIN_EVIDENCE_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a job asks for.

    Attributes:
        text: in a few words.
        is_must: whether the job cannot be done without it.
        lines: the words of the job that state it, by the job's length; only lengths that state it.
    """

    text: str
    is_must: bool
    lines: dict[Length, str]


@dataclass(frozen=True, slots=True)
class Resume:
    """One person's resume in one length.

    Attributes:
        text: the resume.
        met: whether each requirement of the job is met by what stands in the text, in their order.
        evidence: for each requirement a fragment of the text that shows it, or "" where nothing does.
    """

    text: str = field(repr=False)
    met: tuple[Verdict, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlainCase:
    """One occupation.

    Attributes:
        name: of the file, without its ending.
        split: whether models may learn from it.
        occupation: its title.
        soc: its code in the Standard Occupational Classification, such as 29-1141.
        job: the description, by length.
        requirements: of the job.
        people: resumes by person and length.
    """

    name: str
    split: Split
    occupation: str
    soc: str
    job: dict[Length, str]
    requirements: tuple[Requirement, ...]
    people: dict[Person, dict[Length, Resume]]


def read_cases(split: Split, folder: Path = FOLDER) -> list[PlainCase]:
    """Returns the cases of a split, by name.

    Raises:
        ValueError: a file breaks a rule; names the file and the rule.
    """
    return [read_case(path, split) for path in sorted((folder / split).glob("*.toml"))]


def read_case(path: Path, split: Split) -> PlainCase:
    """Reads one file; see ``read_cases``."""
    try:
        return _case(path.stem, split, tomllib.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _case(name: str, split: Split, content: dict[str, Any]) -> PlainCase:
    job = {length: _text(content["job"][length], f"job.{length}", JOB_WORDS[length]) for length in LENGTHS}
    requirements = tuple(_requirement(each, job) for each in content["requirement"])
    people = {
        person: {
            length: _resume(
                content["person"][person][length], f"person.{person}.{length}", length, requirements
            )
            for length in LENGTHS
        }
        for person in PEOPLE
    }
    return PlainCase(name, split, content["occupation"], content["soc"], job, requirements, people)


def _requirement(content: dict[str, Any], job: dict[Length, str]) -> Requirement:
    text = content["text"]
    lines = {length: content[length] for length in LENGTHS if length in content}
    if "long" not in lines:
        raise ValueError(f"requirement {text}: the long job states every requirement")
    for length, line in lines.items():
        if line not in job[length]:
            raise ValueError(f"requirement {text}: its line is not in the {length} job: {line}")
    return Requirement(text, content["must"], lines)


def _resume(
    content: dict[str, Any], place: str, length: Length, requirements: tuple[Requirement, ...]
) -> Resume:
    text = _text(content["text"], place, RESUME_WORDS[length])
    met, evidence = tuple(content["met"]), tuple(content["evidence"])
    if len(met) != len(requirements) or len(evidence) != len(requirements):
        raise ValueError(
            f"{place}: met and evidence need one entry for each of {len(requirements)} requirements"
        )
    for verdict, fragment in zip(met, evidence, strict=True):
        if verdict not in VERDICTS:
            raise ValueError(f"{place}: {verdict} is none of {', '.join(VERDICTS)}")
        if (verdict == "no") != (fragment == ""):
            raise ValueError(
                f"{place}: evidence stands where a requirement is met, and only there: {fragment}"
            )
        if fragment and (fragment not in text or len(fragment) < MIN_EVIDENCE_CHARACTERS):
            raise ValueError(f"{place}: its evidence is not in the text, or too short: {fragment}")
    return Resume(text, met, evidence)


def _text(text: str, place: str, words: tuple[int, int]) -> str:
    lowest, highest = words
    if not lowest <= len(text.split()) <= highest:
        raise ValueError(f"{place}: has {len(text.split())} words; {lowest} to {highest} are wanted")
    return text.strip()
