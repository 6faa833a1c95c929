"""The layouts of resumes: drawn from parts, so that no layout goes with a score."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

Section = Literal["summary", "experience", "skills", "education", "licences", "extras"]

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_HEADINGS: tuple[dict[Section, str], ...] = (
    {
        "summary": "Summary",
        "experience": "Experience",
        "skills": "Skills",
        "education": "Education",
        "licences": "Licenses and certifications",
        "extras": "Additional information",
    },
    {
        "summary": "Profile",
        "experience": "Work history",
        "skills": "Core competencies",
        "education": "Education and training",
        "licences": "Certifications",
        "extras": "Other",
    },
    {
        "summary": "About me",
        "experience": "Where I have worked",
        "skills": "What I know",
        "education": "Schooling",
        "licences": "Licenses",
        "extras": "More",
    },
    {
        "summary": "Professional summary",
        "experience": "Professional experience",
        "skills": "Key skills",
        "education": "Academic background",
        "licences": "Credentials",
        "extras": "Miscellaneous",
    },
)
_ORDERS: tuple[tuple[Section, ...], ...] = (
    ("summary", "experience", "skills", "education", "licences", "extras"),
    ("summary", "skills", "experience", "education", "licences", "extras"),
    ("skills", "summary", "experience", "licences", "education", "extras"),
    ("summary", "licences", "education", "experience", "skills", "extras"),
    ("education", "experience", "licences", "skills", "extras", "summary"),
    ("experience", "education", "licences", "extras", "skills", "summary"),
)
_HEADING_STYLES: tuple[Callable[[str], str], ...] = (
    lambda heading: heading.upper(),
    lambda heading: f"## {heading}",
    lambda heading: f"{heading}:",
    lambda heading: f"{heading}\n{'-' * len(heading)}",
    lambda heading: f"=== {heading} ===",
    lambda heading: f"**{heading}**",
)
_ROLE_HEADS = (
    "<title>, <employer>, <place> (<dates>)",
    "<title> | <employer> | <dates>",
    "<dates>: <title> at <employer>, <place>",
    "<employer> - <place>\n<title>, <dates>",
    "<dates>\n<title>\n<employer>, <place>",
    "### <title>\n<employer>, <place> | <dates>",
)
_BULLET_MARKS = ("- ", "* ", "• ", "– ", "")
_LIST_STYLES = (", ", " | ", "; ", " · ", "\n")


@dataclass(frozen=True, slots=True)
class ResumeRole:
    """One position as it is written.

    Attributes:
        title: the title held.
        employer: the employer's name.
        place: city and state.
        start_month: first month, as year * 12 + month - 1.
        end_month: the month after the last one, or None while the role lasts.
        bullets: what was done, without a full stop.
    """

    title: str
    employer: str
    place: str
    start_month: int
    end_month: int | None
    bullets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResumeContent:
    """What a resume says, ready to be arranged.

    Attributes:
        name: full name.
        contact: place, e-mail address and telephone number.
        headline: the latest title.
        summary: sentences.
        roles: latest first.
        skills: wordings of the skills that are listed.
        education: line on the highest degree.
        licences: lines on licences held and pending.
        extras: lines on what is not scored.
    """

    name: str
    contact: tuple[str, ...]
    headline: str
    summary: tuple[str, ...]
    roles: tuple[ResumeRole, ...]
    skills: tuple[str, ...]
    education: str
    licences: tuple[str, ...]
    extras: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResumeLayout:
    """How a resume is arranged.

    Attributes:
        order: sections from top to bottom; empty ones are left out.
        headings: the sections' headings.
        heading_style: index of the way in which headings are written.
        role_head: template of a role's head.
        mark: what a bullet starts with; empty for sentences in a paragraph.
        list_style: what stands between listed skills.
        date_style: index of the way in which months are written.
    """

    order: tuple[Section, ...]
    headings: dict[Section, str]
    heading_style: int
    role_head: str
    mark: str
    list_style: str
    date_style: int

    def write(self, content: ResumeContent) -> str:
        """Returns the whole text."""
        bodies: dict[Section, str] = {
            "summary": " ".join(content.summary),
            "experience": "\n\n".join(self._role(role) for role in content.roles),
            "skills": self.list_style.join(content.skills),
            "education": content.education,
            "licences": "\n".join(content.licences),
            "extras": "\n".join(content.extras),
        }
        style = _HEADING_STYLES[self.heading_style]
        parts = [f"{content.name}\n{content.headline}\n{' | '.join(content.contact)}"]
        parts += [f"{style(self.headings[name])}\n{bodies[name]}" for name in self.order if bodies[name]]
        return "\n\n".join(parts)

    def _role(self, role: ResumeRole) -> str:
        head = self.role_head
        values = {
            "title": role.title,
            "employer": role.employer,
            "place": role.place,
            "dates": self._dates(role),
        }
        for name, value in values.items():
            head = head.replace(f"<{name}>", value)
        if not self.mark:
            return f"{head}\n{' '.join(f'{bullet}.' for bullet in role.bullets)}"
        return "\n".join([head, *(f"{self.mark}{bullet}" for bullet in role.bullets)])

    def _dates(self, role: ResumeRole) -> str:
        last = "present" if role.end_month is None else self._month(role.end_month - 1)
        return f"{self._month(role.start_month)} {'to' if self.date_style == 2 else '-'} {last}"

    def _month(self, month: int) -> str:
        year, index = divmod(month, 12)
        forms = (f"{_MONTHS[index][:3]} {year}", f"{index + 1:02d}/{year}", f"{_MONTHS[index]} {year}")
        return forms[self.date_style]


def sample_layout(rng: Random) -> ResumeLayout:
    """Draws one of some several thousand layouts."""
    return ResumeLayout(
        order=rng.choice(_ORDERS),
        headings=rng.choice(_HEADINGS),
        heading_style=rng.randrange(len(_HEADING_STYLES)),
        role_head=rng.choice(_ROLE_HEADS),
        mark=rng.choice(_BULLET_MARKS),
        list_style=rng.choice(_LIST_STYLES),
        date_style=rng.randrange(3),
    )
