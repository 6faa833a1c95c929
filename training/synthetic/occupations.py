"""The catalog of occupations, read from the package's JSON files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from training.synthetic.profiles import SENIORITIES, EducationLevel, Seniority

_SKILL_GROUPS = ("core_practices", "core_tools", "extra_practices", "extra_tools")


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill.

    Attributes:
        name: its name in the labels, the first of its wordings.
        surfaces: all its wordings.
        is_tool: whether it is something used (a program, a device) rather than something done or known.
    """

    name: str
    surfaces: tuple[str, ...]
    is_tool: bool


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence or certificate.

    Attributes:
        name: its name, the first of its wordings.
        surfaces: all its wordings.
        is_mandatory: whether nobody may do the work without it.
    """

    name: str
    surfaces: tuple[str, ...]
    is_mandatory: bool


@dataclass(frozen=True, slots=True)
class Occupation:
    """One occupation.

    Attributes:
        name: its name, in lower case where it is no abbreviation.
        family: name of the family it belongs to.
        titles: the titles of each level.
        related: how much a year in another occupation counts in this one, 0 to 1.
        core_skills: names of the skills that define it.
        extra_skills: names of further skills.
        education: the usual level.
        degree_fields: fields of study that fit.
        licences: licences and certificates.
        duties: templates of what a job asks to do, in the base form.
        achievements: templates of what a resume says was done, in the past tense.
        employer_types: descriptions of employers, with their article.
        employer_suffixes: what the names of the family's employers end in.
    """

    name: str
    family: str
    titles: Mapping[Seniority, tuple[str, ...]]
    related: Mapping[str, float]
    core_skills: tuple[str, ...]
    extra_skills: tuple[str, ...]
    education: EducationLevel
    degree_fields: tuple[str, ...]
    licences: tuple[Licence, ...]
    duties: tuple[str, ...]
    achievements: tuple[str, ...]
    employer_types: tuple[str, ...]
    employer_suffixes: tuple[str, ...]

    @property
    def skills(self) -> tuple[str, ...]:
        """Returns the names of all skills, core ones first."""
        return self.core_skills + self.extra_skills


@dataclass(frozen=True, slots=True)
class Family:
    """What the occupations of one field share.

    Attributes:
        name: its name.
        tails: templates of what may follow an achievement.
    """

    name: str
    tails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All occupations, families, skills and licences, by name, in the order of the files."""

    occupations: Mapping[str, Occupation]
    families: Mapping[str, Family]
    skills: Mapping[str, Skill]
    licences: Mapping[str, Licence]


@lru_cache(maxsize=1)
def load_catalog() -> Catalog:
    """Reads all families, in the order of their file names.

    Raises:
        ValueError: two files contradict each other on a skill, or an occupation is there twice.
    """
    occupations: dict[str, Occupation] = {}
    families: dict[str, Family] = {}
    skills: dict[str, Skill] = {}
    for data in _family_files():
        family = Family(data["family"], tuple(data["tails"]))
        families[family.name] = family
        for entry in data["occupations"]:
            if entry["name"] in occupations:
                raise ValueError(f"occupation {entry['name']!r} is there twice")
            occupations[entry["name"]] = _occupation(data, entry)
            for skill in _skills(entry):
                skills[skill.name] = _merged(skills.get(skill.name, skill), skill)
    licences = {licence.name: licence for item in occupations.values() for licence in item.licences}
    return Catalog(occupations, families, skills, licences)


@lru_cache(maxsize=8)
def load_wording(name: str) -> dict[str, Any]:
    """Reads one file of wording that all occupations share, by its name without the ending."""
    wording: dict[str, Any] = json.loads(
        files("training.synthetic").joinpath("wording", f"{name}.json").read_text(encoding="utf-8")
    )
    return wording


def _family_files() -> Iterator[dict[str, Any]]:
    folder = files("training.synthetic").joinpath("data")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".json"):
            yield json.loads(file.read_text(encoding="utf-8"))


def _occupation(data: dict[str, Any], entry: dict[str, Any]) -> Occupation:
    groups = {group: tuple(entry[group]) for group in _SKILL_GROUPS}
    return Occupation(
        name=entry["name"],
        family=data["family"],
        titles={level: tuple(entry["titles"][level]) for level in SENIORITIES},
        related=entry["related"],
        core_skills=groups["core_practices"] + groups["core_tools"],
        extra_skills=groups["extra_practices"] + groups["extra_tools"],
        education=entry["education"],
        degree_fields=tuple(entry["degree_fields"]),
        licences=tuple(
            Licence(item["name"], (item["name"], *item["variants"]), item["mandatory"])
            for item in entry["licences"]
        ),
        duties=tuple(entry["duties"]),
        achievements=tuple(entry["achievements"]),
        employer_types=tuple(entry["employer_types"]),
        employer_suffixes=tuple(data["employer_suffixes"]),
    )


def _skills(entry: dict[str, Any]) -> Iterator[Skill]:
    for group in _SKILL_GROUPS:
        for name, variants in entry[group].items():
            yield Skill(name, (name, *variants), group.endswith("tools"))


def _merged(known: Skill, skill: Skill) -> Skill:
    if known.is_tool != skill.is_tool:
        raise ValueError(f"skill {skill.name!r} is a tool in one place and a practice in another")
    # A dictionary keeps the order; a set would make the texts depend on the process.
    return Skill(known.name, tuple(dict.fromkeys(known.surfaces + skill.surfaces)), known.is_tool)
