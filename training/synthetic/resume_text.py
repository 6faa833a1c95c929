"""Writes a candidate's hidden truth as a resume."""

from collections.abc import Mapping, Sequence
from random import Random

from training.synthetic.job_text import years_phrase
from training.synthetic.occupations import Catalog, load_wording
from training.synthetic.phrases import capitalised, expand, mentions, slots_in
from training.synthetic.profiles import CandidateProfile, JobProfile, Role, missing_skills
from training.synthetic.resume_layouts import ResumeContent, ResumeRole, sample_layout

MIN_WORDS = 90
MAX_WORDS = 520
_MAX_DRAWS = 40
# A skill is in the list, in a bullet or in both, as in real resumes, where a list alone is not trusted.
_LISTED_SHARE = (0.5, 1.0)


def render_resume(
    candidate: CandidateProfile, job: JobProfile, catalog: Catalog, rng: Random, is_evidenced: bool = True
) -> str:
    """Writes a resume that says all of the candidate's skills and none of the job's other ones.

    Args:
        job: the job that the label is for; only what must not be mentioned is read from it.
        is_evidenced: whether the skills stand in what was done, or in the list alone.

    Raises:
        ValueError: no true text of the right length came out; the data of an occupation is too thin.
    """
    for _ in range(_MAX_DRAWS):
        surfaces = {skill: rng.choice(catalog.skills[skill].surfaces) for skill in candidate.skills}
        text = sample_layout(rng).write(_content(candidate, surfaces, catalog, rng, is_evidenced))
        if MIN_WORDS <= len(text.split()) <= MAX_WORDS and _is_true(text, candidate, job, catalog):
            return text
    raise ValueError(
        f"no true resume of {MIN_WORDS} to {MAX_WORDS} words for {candidate.roles[0].occupation!r}"
    )


def _is_true(text: str, candidate: CandidateProfile, job: JobProfile, catalog: Catalog) -> bool:
    absent = [skill for skill in job.preferred_skills if skill not in candidate.skills]
    absent += missing_skills(job, candidate)
    # "SQL" may not give "SQL Server" away, nor the other way round: held wordings are cut out first.
    rest = text.lower()
    held = [surface for skill in candidate.skills for surface in catalog.skills[skill].surfaces]
    for surface in sorted(held, key=len, reverse=True):
        rest = rest.replace(surface.lower(), " ")
    return all(mentions(text, catalog.skills[skill].surfaces) for skill in candidate.skills) and not any(
        mentions(rest, catalog.skills[skill].surfaces) for skill in absent
    )


def _content(
    candidate: CandidateProfile,
    surfaces: Mapping[str, str],
    catalog: Catalog,
    rng: Random,
    is_evidenced: bool,
) -> ResumeContent:
    shown = list(surfaces)
    rng.shuffle(shown)
    listed = shown[: round(len(shown) * rng.uniform(*_LISTED_SHARE))] if is_evidenced else shown
    bullets = _RoleBullets(surfaces if is_evidenced else {}, catalog, rng)
    must_show = [skill for skill in shown if skill not in listed]
    if is_evidenced:
        must_show += [skill for skill in listed if rng.random() < 0.4]
    wording = load_wording("resume")
    return ResumeContent(
        name=candidate.name,
        contact=_contact(candidate, rng),
        headline=candidate.roles[0].title,
        summary=_summary(candidate, [surfaces[skill] for skill in listed], rng),
        roles=tuple(bullets.write(candidate.roles, must_show)),
        skills=tuple(surfaces[skill] for skill in listed),
        education=_education(candidate, rng),
        licences=_licences(candidate, catalog, rng),
        extras=tuple(expand(line, rng, {}) for line in rng.sample(wording["extras"], rng.randint(0, 3))),
    )


class _RoleBullets:
    """Writes what was done in each role, so that every skill to show stands in one of them."""

    def __init__(self, surfaces: Mapping[str, str], catalog: Catalog, rng: Random) -> None:
        self._surfaces = surfaces
        self._catalog = catalog
        self._rng = rng
        self._used: set[str] = set()

    def write(self, roles: Sequence[Role], must_show: Sequence[str]) -> list[ResumeRole]:
        """Returns the roles with their bullets; the latest role shows most of the skills."""
        rng = self._rng
        weights = [3.0, *(1.0 for _ in roles[1:])]
        shown_in: list[list[str]] = [[] for _ in roles]
        for skill in must_show:
            shown_in[rng.choices(range(len(roles)), weights)[0]].append(skill)
        written = []
        for role, skills in zip(roles, shown_in, strict=True):
            lines = [*self._skill_lines(role, skills), *self._other_lines(role)]
            rng.shuffle(lines)
            written.append(
                ResumeRole(
                    title=role.title,
                    employer=role.employer,
                    place=role.place,
                    start_month=role.start_month,
                    end_month=role.end_month,
                    bullets=tuple(capitalised(line) for line in lines),
                )
            )
        return written

    def _skill_lines(self, role: Role, skills: list[str]) -> list[str]:
        wording = load_wording("resume")
        occupation = self._catalog.occupations[role.occupation]
        lines = []
        remaining = list(skills)
        while remaining:
            skill = remaining.pop()
            own = [line for line in occupation.achievements if slots_in(line) == (skill,)]
            if own and self._rng.random() < 0.7:
                lines.append(self._with_tail(self._fresh(own), role, self._surfaces))
            elif remaining and self._rng.random() < 0.35:
                values = {"a": self._surfaces[skill], "b": self._surfaces[remaining.pop()]}
                lines.append(self._with_tail(self._fresh(wording["pair_bullets"]), role, values))
            else:
                frames = "tool_bullets" if self._catalog.skills[skill].is_tool else "practice_bullets"
                values = {"skill": self._surfaces[skill]}
                lines.append(self._with_tail(self._fresh(wording[frames]), role, values))
        return lines

    def _other_lines(self, role: Role) -> list[str]:
        wording = load_wording("resume")
        rng = self._rng
        occupation = self._catalog.occupations[role.occupation]
        own = [line for line in occupation.achievements if not slots_in(line)]
        count = min(2 + role.num_months // 20, 4)
        lines = [self._with_tail(self._fresh(own), role, {}) for _ in range(rng.randint(1, count)) if own]
        frames = wording["level_bullets"][role.seniority]
        lines += [expand(self._fresh(frames), rng, {}) for _ in range(rng.randint(0, 1))]
        lines += [expand(self._fresh(wording["soft_bullets"]), rng, {}) for _ in range(rng.randint(0, 1))]
        return list(dict.fromkeys(lines))

    def _fresh(self, lines: Sequence[str]) -> str:
        unused = [line for line in lines if line not in self._used] or list(lines)
        line = self._rng.choice(unused)
        self._used.add(line)
        return line

    def _with_tail(self, line: str, role: Role, values: Mapping[str, str]) -> str:
        text = expand(line, self._rng, values)
        if self._rng.random() > 0.25:
            return text
        family = self._catalog.families[self._catalog.occupations[role.occupation].family]
        tail = self._rng.choice((*family.tails, *load_wording("resume")["general_tails"]))
        return f"{text} {expand(tail, self._rng, {})}"


def _contact(candidate: CandidateProfile, rng: Random) -> tuple[str, ...]:
    mailbox = candidate.name.lower().replace("'", "").replace(" ", rng.choice((".", "_", "")))
    # 555-01xx and example.org are reserved for invented people (NANP, RFC 2606).
    parts = [
        candidate.place,
        f"{mailbox}@example.org",
        f"{rng.randint(201, 989)}-555-01{rng.randint(0, 99):02d}",
    ]
    return tuple(parts[: rng.randint(1, 3)])


def _summary(candidate: CandidateProfile, listed: list[str], rng: Random) -> tuple[str, ...]:
    wording = load_wording("resume")
    latest = candidate.roles[0]
    months = sum(role.num_months for role in candidate.roles if role.occupation == latest.occupation)
    values = {
        "title": latest.title,
        "occupation": latest.occupation,
        "employer": latest.employer,
        "years": years_phrase(months // 12),
    }
    lines = [rng.choice(wording["openings" if months >= 12 else "newcomer_openings"])]
    if len(listed) >= 3:
        frame = rng.choice(wording["skill_sentences"])
        lines.append(frame)
        values |= dict(zip("abc", rng.sample(listed, 3), strict=True))
    lines += rng.sample(wording["soft_sentences"], rng.randint(0, 2))
    return tuple(capitalised(expand(line, rng, values)) for line in lines)


def _education(candidate: CandidateProfile, rng: Random) -> str:
    degree = expand(
        rng.choice(load_wording("resume")["degrees"][candidate.education_level]),
        rng,
        {"field": candidate.degree_field},
    )
    form = rng.choice(
        (
            "{degree}, {school}, {year}",
            "{school}: {degree} ({year})",
            "{year} {degree}, {school}",
            "{degree}, {school}",
        )
    )
    return form.format(degree=degree, school=candidate.school, year=candidate.graduation_year)


def _licences(candidate: CandidateProfile, catalog: Catalog, rng: Random) -> tuple[str, ...]:
    frames = load_wording("resume")["pending_licence"]
    held = [rng.choice(catalog.licences[name].surfaces) for name in candidate.licences]
    pending = [
        expand(rng.choice(frames), rng, {"licence": rng.choice(catalog.licences[name].surfaces)})
        for name in candidate.pending_licences
    ]
    return tuple(held + pending)
