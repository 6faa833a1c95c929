"""What masking takes out, and what it must leave."""

import pytest

from services.contracts.reading import IdentityKind
from services.scoring.reading.identity.identity_masking import (
    NAME_PLACEHOLDER,
    mask_identity,
    mask_with_seams,
)
from training.audit.counterfactuals import DIMENSIONS, identity_variants
from training.synthetic.generator import generate_pairs

RESUME = """Lakisha Washington (she/her)
12 Oak Street, Apt 4, Oakland, CA 94601 | (510) 555-0149 | lakisha.w@example.com | linkedin.com/in/lakisha
Date of birth: 3 May 1984
[Photo: a smiling woman]

EXPERIENCE
2016 - present: Six Sigma Black Belt, Acme Foods. She led a team of 12; Lakisha was promoted twice.
Served 94601 orders a day with PostgreSQL 14 and a budget of 1,250,000 dollars.

VOLUNTEERING
Member, Society of Women Engineers
Treasurer of the National Society of Black Engineers

EDUCATION
B.S. in Computer Science, Howard University, 2006
"""


@pytest.mark.parametrize(
    "hidden",
    [
        "Lakisha",
        "Washington",
        "she/her",
        "She ",
        "Oak Street",
        "CA 94601",
        "555-0149",
        "@example.com",
        "linkedin",
        "1984",
        "Photo",
        "Women",
        "of Black",
        "2006",
    ],
)
def test_what_tells_who_somebody_is_goes(hidden: str) -> None:
    assert hidden in RESUME
    assert hidden not in mask_identity(RESUME)


@pytest.mark.parametrize(
    "kept",
    [
        "Six Sigma Black Belt, Acme Foods",
        "2016 - present",
        "led a team of 12",
        "Served 94601 orders a day with PostgreSQL 14 and a budget of 1,250,000 dollars.",
        "Society of Engineers",
        "National Society of Engineers",
        "B.S. in Computer Science, Howard University",
        "Oakland, CA",
        f"{NAME_PLACEHOLDER} was promoted twice",
    ],
)
def test_what_somebody_did_and_can_do_stays(kept: str) -> None:
    assert kept in mask_identity(RESUME)


@pytest.mark.parametrize(
    "first_line",
    [
        "Registered Dietitian",
        "Pastry Baker",
        "Oncology Research",
        "Senior Software Engineer",
        "Professional Summary",
        "Certified Public Accountant",
        "Python, Java, Kubernetes",
        "10 years in retail",
    ],
)
def test_a_title_or_heading_is_no_name(first_line: str) -> None:
    text = f"{first_line}\nBuilt services for Acme."
    assert mask_identity(text) == text


@pytest.mark.parametrize(
    ("top", "name"),
    [
        ("MARIA DE LA CRUZ", "MARIA DE LA CRUZ"),
        ("Name: Nguyen Van Minh", "Nguyen Van Minh"),
        ("Resume of Xiu Zhang", "Xiu Zhang"),
        ("# Priya Patel", "Priya Patel"),
        ("Tremayne O'Neil | Atlanta, GA | 404-555-0123", "Tremayne O'Neil"),
        ("Ravi Mbeki", "Ravi Mbeki"),
    ],
)
def test_names_are_found_in_many_headers(top: str, name: str) -> None:
    masked = mask_identity(f"{top}\nHVAC technician\nWelder with 8 years at Acme.")
    assert not {"MARIA", "CRUZ", *name.split()} & set(masked.split())
    assert "Welder with 8 years at Acme." in masked


@pytest.mark.parametrize("pronoun", ["\u017fhe", "hi\u017f", "h\u0130s", "H\u0131M"])
def test_pronouns_in_letters_that_only_look_like_latin_ones_are_replaced(pronoun: str) -> None:
    """``re.IGNORECASE`` takes a long s for an s, and i with and without its dot for one another."""
    masked = mask_identity(f"Nurse. At work {pronoun} cared for patients.")

    assert pronoun not in masked
    assert "at work the" in masked.lower()


def test_masking_twice_changes_nothing_more() -> None:
    once = mask_identity(RESUME)
    assert mask_identity(once) == once


def test_a_text_without_line_ends_keeps_its_content() -> None:
    text = "Summary Engineer with a degree from 2006 and 12 years of work at the Women's Clinic network. " * 8
    assert mask_identity(text) == text


@pytest.mark.parametrize("dimension", [name for name in DIMENSIONS if name != "schools"])
def test_other_identities_give_the_same_masked_text(dimension: str) -> None:
    """So no score can depend on them; a school is no mark of identity and stays."""
    for turn, row in enumerate(generate_pairs(6, seed=3)):
        texts = [v.resume for v in identity_variants(row["resume"], turn) if v.dimension == dimension]
        assert len(set(texts)) == len(texts)
        masked = {" ".join(mask_identity(text).split()) for text in texts}
        if dimension == "societies":  # "Women's Business Association" and the neutral one read alike
            masked = {text.replace("  ", " ") for text in masked}
        assert len(masked) == 1, dimension


@pytest.mark.parametrize("repeated", ["a", "a.", "1", "a-", "20", "[photo ", "\n", "name", "society "])
def test_the_largest_resume_of_any_repetition_is_masked_in_linear_time(repeated: str) -> None:
    text = (repeated * 262_144)[:262_144]
    assert len(mask_identity(f"{text}@ .com/ end")) > 0


@pytest.mark.parametrize(
    "line",
    [
        "Mobile: Swift, Kotlin, React Native, Flutter",
        "Cell: flow cytometry, CRISPR",
        "Photo: Lightroom, Capture One",
        "Email: Mailchimp campaigns",
        "(image segmentation with U-Net, object detection with YOLO)",
        "[photo editing, retouching]",
        "Name tags, badges",
        "University Hospital, 2012 - 2020",
        "Ruby on Rails, Python, Django",
    ],
)
def test_skills_that_look_like_labels_and_marks_stay(line: str) -> None:
    assert line in mask_identity(f"Ruby Jenkins\nruby@example.org\n\nExperience\n{line}\nand more")


@pytest.mark.parametrize("line", ["Kubernetes Docker", "Python Django", "Terraform Ansible"])
def test_technologies_in_the_first_line_are_no_name(line: str) -> None:
    resume = f"{line}\nFive years of it. {line.split()[0]} every day."

    assert mask_identity(resume) == resume


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (
            "Name: Ada Example, registered nurse, six years paediatrics, PALS, Epic",
            "registered nurse, six years",
        ),
        ("Gender: female; licensed electrician, OSHA 30", "licensed electrician, OSHA 30"),
        ("Date of birth: 3 May 1983 | welder since 2004", "welder since 2004"),
        ("Date of birth: 3 May, 1983, welder since 2004", "welder since 2004"),
    ],
)
def test_what_follows_a_personal_value_on_its_line_stays(line: str, kept: str) -> None:
    masked = mask_identity(line)

    assert kept in masked
    assert not any(word in masked for word in ("Ada", "female", "1983"))


@pytest.mark.parametrize(
    "name", ["Łukasz Żółkowski", "Élodie Dubois", "Øyvind Åsen", "Иван Петров", "王 小明", "Željko Čačić"]
)
def test_names_of_any_script_are_masked(name: str) -> None:
    masked = mask_identity(f"{name}\nnurse@example.org\n\nRegistered nurse, five years. {name} led a ward.")

    assert not any(part in masked for part in name.split())


@pytest.mark.parametrize(
    ("resume", "kinds"),
    [
        ("Ravi Mbeki\nravi@example.org\nNurse since 2011", {IdentityKind.NAME, IdentityKind.CONTACT}),
        ("Nurse\nPhone: 615-555-0138\n12 Oak Street\nICU", {IdentityKind.CONTACT, IdentityKind.ADDRESS}),
        ("Nurse\nDate of birth: 3 May 1983\nICU", {IdentityKind.PERSONAL_DETAIL}),
        ("Nurse, aged 41\nShe led a ward", {IdentityKind.AGE, IdentityKind.PRONOUN}),
        ("Nurse\n[photo]\nSociety of Women Engineers", {IdentityKind.PHOTOGRAPH, IdentityKind.GROUP}),
        ("Nurse\nIntensive care\nSwift, Kotlin", set()),
    ],
)
def test_what_was_found_is_told_by_its_kind(resume: str, kinds: set[IdentityKind]) -> None:
    assert mask_with_seams(resume).kinds == kinds
