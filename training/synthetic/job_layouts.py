"""The layouts of advertisements: they arrange what they are given and add nothing that is scored."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from training.synthetic.phrases import enumeration


@dataclass(frozen=True, slots=True)
class JobContent:
    """What an advertisement says, ready to be arranged.

    Attributes:
        title: the advertised title.
        employer: the employer's name.
        place: city and state.
        intro: who hires whom.
        about: sentences on the team and the level.
        duties: phrases in the base form.
        years: the line on experience.
        skills: lines that name every required skill.
        education: the line on education.
        licences: lines on mandatory licences.
        preferred: lines on what is a plus.
        soft: lines on manners, which are not scored.
        offers: phrases on pay and benefits.
        closings: closing sentences.
        skill_names: the bare wordings of the required skills, for layouts without lines.
    """

    title: str
    employer: str
    place: str
    intro: str
    about: tuple[str, ...]
    duties: tuple[str, ...]
    years: str
    skills: tuple[str, ...]
    education: str
    licences: tuple[str, ...]
    preferred: tuple[str, ...]
    soft: tuple[str, ...]
    offers: tuple[str, ...]
    closings: tuple[str, ...]
    skill_names: tuple[str, ...]


JobLayout = Callable[[JobContent, Random], str]


def _bullets(lines: Iterable[str], mark: str = "- ") -> str:
    return "\n".join(f"{mark}{line}" for line in lines)


def _lowered(phrase: str) -> str:
    # "SQL queries" and "A/P" keep their capitals, "Prepare" loses it.
    is_word = len(phrase) > 1 and phrase[1].islower() and phrase.split()[0].isalpha()
    return phrase[0].lower() + phrase[1:] if is_word else phrase


def _lowered_verb(phrase: str) -> str:
    return phrase[0].lower() + phrase[1:]


def _sentences(phrases: Iterable[str]) -> str:
    return " ".join(phrase if phrase.endswith(".") else f"{phrase}." for phrase in phrases)


def _mixed(content: JobContent, rng: Random, *more: str) -> list[str]:
    lines = [content.years, *content.licences, *content.skills, content.education, *more]
    if rng.random() < 0.5:
        rng.shuffle(lines)
    return lines


def _classic(content: JobContent, rng: Random) -> str:
    mark = rng.choice(("- ", "* ", "\u2022 "))
    headings = rng.choice(
        (
            ("What you will do", "What you bring", "Nice to have", "What we offer"),
            ("Responsibilities", "Requirements", "Preferred", "Benefits"),
            ("Your tasks", "Your profile", "A plus", "We offer"),
        )
    )
    parts = [
        content.title,
        f"{content.intro} {content.about[0]}",
        f"{headings[0]}\n{_bullets(content.duties, mark)}",
        f"{headings[1]}\n{_bullets(_mixed(content, rng, *content.soft), mark)}",
        f"{headings[2]}\n{_bullets(content.preferred, mark)}",
        f"{headings[3]}\n{_bullets(content.offers, mark)}",
        _sentences(content.closings),
    ]
    return "\n\n".join(parts)


def _prose(content: JobContent, rng: Random) -> str:
    duties = [_lowered_verb(duty) for duty in content.duties]
    middle = max(1, len(duties) // 2)
    wanted = rng.choice(
        ("What matters to us is the following.", "We ask for this.", "To succeed here you need this.")
    )
    parts = [
        f"{content.intro} {_sentences(content.about)}",
        f"In this position you {enumeration(duties[:middle])}. You will also {enumeration(duties[middle:])}.",
        f"{wanted} {_sentences(_mixed(content, rng))}",
        f"It would help to have any of these: {'; '.join(_lowered(line) for line in content.preferred)}.",
        f"In return you get {enumeration([_lowered(offer) for offer in content.offers])}. "
        f"{_sentences(content.closings)}",
    ]
    return "\n\n".join(parts)


def _short_advert(content: JobContent, rng: Random) -> str:
    marker = rng.choice(("NOW HIRING", "Help wanted", "Open position"))
    return (
        f"{marker}: {content.title} - {content.employer}, {content.place}\n"
        f"{content.intro} {content.about[0]}\n"
        f"The work: {'; '.join(_lowered_verb(duty) for duty in content.duties)}.\n"
        f"Must have: {'; '.join([content.years, *content.licences, content.education, *content.skills])}.\n"
        f"Good to have: {'; '.join(content.preferred)}.\n"
        f"{_sentences(content.offers)} {_sentences(content.closings)}"
    )


def _formal(content: JobContent, rng: Random) -> str:
    reports = rng.choice(("Full time, exempt", "Full time, non-exempt", "Full time, benefits eligible"))
    parts = [
        f"POSITION TITLE: {content.title.upper()}\nLOCATION: {content.place}\nSTATUS: {reports}",
        f"JOB SUMMARY\n{content.intro} {_sentences(content.about)}",
        "ESSENTIAL DUTIES\n" + "\n".join(f"{i}. {duty}." for i, duty in enumerate(content.duties, 1)),
        f"MINIMUM QUALIFICATIONS\nEducation and experience: {content.education}. {content.years}.",
    ]
    if content.licences:
        parts.append(f"LICENSES AND CERTIFICATES\n{_sentences(content.licences)}")
    parts += [
        f"KNOWLEDGE, SKILLS AND ABILITIES\n{_bullets((*content.skills, *content.soft))}",
        f"DESIRABLE\n{_bullets(content.preferred)}",
        _sentences(content.closings),
    ]
    return "\n\n".join(parts)


def _casual(content: JobContent, rng: Random) -> str:
    greeting = rng.choice(("Hi there!", "Hello,", "Hey, good to see you here.", "Welcome!"))
    parts = [
        f"{greeting} {content.intro}",
        _sentences(content.about),
        f"A normal week? You'll {enumeration([_lowered_verb(duty) for duty in content.duties])}.",
        f"You're a match if you can tick these:\n{_bullets(_mixed(content, rng, *content.soft[:1]), '+ ')}",
        f"Bonus points for: {enumeration([_lowered(line) for line in content.preferred])}.",
        f"What's in it for you: {enumeration([_lowered(offer) for offer in content.offers])}. "
        f"{_sentences(content.closings)}",
    ]
    return "\n\n".join(parts)


def _fact_sheet(content: JobContent, rng: Random) -> str:
    reference = f"{rng.choice('ABCDEFGH')}-{rng.randint(1000, 9999)}"
    lines = [
        f"Job reference: {reference}",
        f"Role: {content.title}",
        f"Company: {content.employer}",
        f"Where: {content.place}",
        f"Experience: {content.years}",
        f"Education: {content.education.removeprefix('Education: ')}",
    ]
    if content.licences:
        lines.append(f"License: {'; '.join(content.licences)}")
    lines += [
        f"Key skills: {', '.join(content.skill_names)}",
        f"Also useful: {', '.join(_lowered(line) for line in content.preferred)}",
        "",
        f"About the role. {content.intro} {_sentences(content.about)}",
        "",
        f"You will: {_bullets(content.duties, chr(10) + '  * ').strip()}",
        "",
        f"Package: {'; '.join(content.offers)}. {_sentences(content.closings)}",
    ]
    return "\n".join(lines)


def _questions(content: JobContent, rng: Random) -> str:
    parts = [
        f"{content.title} ({content.place})",
        f"Who are we?\n{content.intro}",
        f"What will you do?\n{_sentences(content.duties)}",
        f"What should you bring?\n{_sentences(_mixed(content, rng))}",
        f"What makes you stand out?\n{_sentences(content.preferred)}",
        f"How do we work?\n{_sentences(content.about)}",
        f"What do we offer?\n{_sentences(content.offers)}",
        f"What happens next?\n{_sentences(content.closings)}",
    ]
    return "\n\n".join(parts)


def _one_paragraph(content: JobContent, rng: Random) -> str:
    ask = rng.choice(("Qualifications:", "Required:", "The successful candidate has:"))
    return " ".join(
        [
            f"{content.title}, {content.place}.",
            content.intro,
            _sentences(content.about),
            f"Duties: {'; '.join(_lowered_verb(duty) for duty in content.duties)}.",
            f"{ask} {'; '.join(_lowered(line) for line in _mixed(content, rng))}.",
            f"Preferred: {'; '.join(_lowered(line) for line in content.preferred)}.",
            _sentences(content.closings),
        ]
    )


def _requirements_first(content: JobContent, rng: Random) -> str:
    name = rng.choice((content.employer, "Our company", "The company"))
    parts = [
        f"**{content.title}** | {content.employer} | {content.place}",
        f"## Before you apply\n{_bullets(_mixed(content, rng), '- [ ] ')}",
        f"## Day to day\n{_bullets(content.duties)}",
        f"## Extra credit\n{_bullets(content.preferred)}",
        f"## About us\n{content.intro} {_sentences(content.about)}",
        f"## Terms\n{name} offers: {', '.join(_lowered(offer) for offer in content.offers)}. "
        f"{_sentences(content.closings)}",
    ]
    return "\n\n".join(parts)


JOB_LAYOUTS: tuple[JobLayout, ...] = (
    _classic,
    _prose,
    _short_advert,
    _formal,
    _casual,
    _fact_sheet,
    _questions,
    _one_paragraph,
    _requirements_first,
)
