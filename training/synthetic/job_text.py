"""Writes a job's hidden truth as an advertisement."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from training.synthetic.job_layouts import JOB_LAYOUTS, JobContent
from training.synthetic.occupations import Catalog, Occupation, load_wording
from training.synthetic.phrases import capitalised, enumeration, expand, mentions, slots_in
from training.synthetic.profiles import JobProfile

MIN_WORDS = 120
MAX_WORDS = 450
_MAX_DRAWS = 30


@dataclass(frozen=True, slots=True)
class JobText:
    """An advertisement.

    Attributes:
        text: the whole text.
        surfaces: the wording used for each required and preferred skill.
    """

    text: str
    surfaces: Mapping[str, str]


def render_job(job: JobProfile, catalog: Catalog, rng: Random, layout: int | None = None) -> JobText:
    """Writes an advertisement.

    Args:
        layout: index of the layout, or None for any.

    Raises:
        ValueError: no text of the right length came out; the data of the occupation is too thin.
    """
    for _ in range(_MAX_DRAWS):
        surfaces = _surfaces(job, catalog, rng)
        content = _content(job, surfaces, catalog.occupations[job.occupation], catalog, rng)
        write = rng.choice(JOB_LAYOUTS) if layout is None else JOB_LAYOUTS[layout]
        text = write(content, rng)
        if MIN_WORDS <= len(text.split()) <= MAX_WORDS and _is_true(text, job, catalog):
            return JobText(text, surfaces)
    raise ValueError(f"no advertisement of {MIN_WORDS} to {MAX_WORDS} words for {job.occupation!r}")


def years_phrase(years: int) -> str:
    """Returns ``1 year`` or ``5 years``."""
    return "1 year" if years == 1 else f"{years} years"


def _is_true(text: str, job: JobProfile, catalog: Catalog) -> bool:
    return all(mentions(text, catalog.skills[skill].surfaces) for skill in job.required_skills)


def _surfaces(job: JobProfile, catalog: Catalog, rng: Random) -> dict[str, str]:
    return {
        skill: rng.choice(catalog.skills[skill].surfaces)
        for skill in job.required_skills + job.preferred_skills
    }


def _content(
    job: JobProfile, surfaces: Mapping[str, str], occupation: Occupation, catalog: Catalog, rng: Random
) -> JobContent:
    wording = load_wording("job")
    people = load_wording("people")
    values = {
        "title": job.title,
        "occupation": job.occupation,
        "employer": f"{rng.choice(people['employer_words'])} {rng.choice(occupation.employer_suffixes)}",
        "place": rng.choice(people["places"]),
        "kind": rng.choice(occupation.employer_types),
        "years": years_phrase(job.years_required),
    }
    duties = [duty for duty in occupation.duties if all(skill in surfaces for skill in slots_in(duty))]
    about = [rng.choice(wording["level"][job.seniority]), *rng.sample(wording["about"], rng.randint(1, 3))]
    years = rng.choice(wording["years" if job.years_required else "no_years"])
    return JobContent(
        title=job.title,
        employer=values["employer"],
        place=values["place"],
        intro=expand(rng.choice(wording["intros"]), rng, values),
        about=tuple(expand(sentence, rng, values) for sentence in about),
        duties=tuple(
            capitalised(expand(duty, rng, surfaces))
            for duty in rng.sample(duties, min(len(duties), rng.randint(4, 8)))
        ),
        years=capitalised(expand(years, rng, values)),
        skills=tuple(_requirements(job, surfaces, catalog, rng)),
        education=_education(job, rng),
        licences=tuple(_licence(name, "licence", catalog, rng) for name in job.mandatory_licences),
        preferred=tuple(
            [
                capitalised(expand(rng.choice(wording["preferred"]), rng, {"skill": surfaces[skill]}))
                for skill in job.preferred_skills
            ]
            + [_licence(name, "preferred_licence", catalog, rng) for name in job.preferred_licences]
        ),
        soft=tuple(expand(line, rng, values) for line in rng.sample(wording["soft"], rng.randint(0, 3))),
        offers=tuple(expand(line, rng, values) for line in rng.sample(wording["offers"], rng.randint(2, 5))),
        closings=tuple(
            expand(line, rng, values) for line in rng.sample(wording["closings"], rng.randint(1, 3))
        ),
        skill_names=tuple(surfaces[skill] for skill in job.required_skills),
    )


def _requirements(job: JobProfile, surfaces: Mapping[str, str], catalog: Catalog, rng: Random) -> list[str]:
    lines: list[str] = []
    remaining = list(job.required_skills)
    while remaining:
        is_tool = catalog.skills[remaining[0]].is_tool
        # Two of a kind may share a line, as they do where people write these lists by hand.
        alike = [skill for skill in remaining if catalog.skills[skill].is_tool == is_tool]
        used = alike[: 2 if rng.random() < 0.3 else 1]
        frames = load_wording("job")["tool_requirements" if is_tool else "practice_requirements"]
        skill = enumeration([surfaces[name] for name in used])
        lines.append(capitalised(expand(rng.choice(frames), rng, {"skill": skill})))
        remaining = [name for name in remaining if name not in used]
    return lines


def _education(job: JobProfile, rng: Random) -> str:
    wording = load_wording("job")
    if job.education_required == "none":
        return expand(rng.choice(wording["no_education"]), rng, {})
    degree = wording["degrees"][job.education_required]
    fields = rng.sample(job.degree_fields, min(len(job.degree_fields), rng.randint(1, 3)))
    values = {
        "degree": degree,
        "article_degree": expand(f"a/an {degree}", rng, {}),
        "fields": enumeration(fields, "or"),
    }
    return capitalised(expand(rng.choice(wording["education"]), rng, values))


def _licence(name: str, frames: str, catalog: Catalog, rng: Random) -> str:
    surface = rng.choice(catalog.licences[name].surfaces)
    return expand(rng.choice(load_wording("job")[frames]), rng, {"licence": surface})
