import pytest

from services.scoring.reading.texts.legibility import MIN_READABLE_SHARE, language_of, readable_share

READABLE = [
    "Registered nurse with five years in a medical intensive care unit. BLS, ACLS and CCRN certified.",
    "C++/Qt, .NET 6, node.js, CI/CD; 2019-2024; $1.2M; k8s, PL/SQL, ISO 9001:2015",
    "Infirmière diplômée, cinq ans de réanimation; Krankenschwester, fünf Jahre",
    "注册护士，重症监护五年",
    "ممرضة مسجلة خمس سنوات",
    "RN BSN PCCN, 5 yrs MICU, CRRT, ECMO",
]
UNREADABLE = [
    "nan",
    "https://example.org/resumes/8374.pdf",
    "\ufffd" * 400,
    "QmFzZTY0IGlzIG5vdCBhIHJlc3VtZSBhdCBhbGwsIGJ1dCBzb21lIEFUUyBzZW5kIGl0IGFzIG9uZS4=",
    "/gid00002/gid00038/gid00036/gid00033/gid00001/gid00004/gid00035/gid00028/gid00048",
    "(cid:901)(cid:902)(cid:903)(cid:904)(cid:905)(cid:906)(cid:907)(cid:908)",
    "xkcdvb qwrtp zxcvbn plmkjh ghjkl wrtzp bcdfgh",
    "",
]


@pytest.mark.parametrize("text", READABLE)
def test_words_numbers_and_abbreviations_are_readable(text: str) -> None:
    assert readable_share(text) > 0.7


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_no_person_can_read_is_not(text: str) -> None:
    assert readable_share(text) < MIN_READABLE_SHARE


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("Registered nurse with five years in a medical intensive care unit, charge nurse on nights. ", "en"),
        ("Infirmière diplômée, cinq ans dans un service de réanimation, responsable de nuit. ", "fr"),
        ("Krankenschwester mit fünf Jahren Erfahrung auf der Intensivstation, Schichtleitung nachts. ", "de"),
        ("注册护士，在重症监护病房工作五年，负责夜班，持有基础生命支持证书。", "zh"),
    ],
)
def test_the_language_of_a_text_is_told(sentence: str, language: str) -> None:
    assert language_of(sentence * 4) == language


def test_of_a_few_words_no_language_is_told() -> None:
    assert language_of("RN, BLS, ACLS") == ""
