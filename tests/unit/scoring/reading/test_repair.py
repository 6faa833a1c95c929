import pytest

from services.scoring.reading.texts.repair import repair


@pytest.mark.parametrize(
    ("broken", "mended", "num_repaired"),
    [
        ("Worked in paedi-\natrics and inten-\n  sive care", "Worked in paediatrics and intensive care", 2),
        ("self-\nemployed, full-\ntime", "self-employed, full-time", 2),
        ("2019 -\n2024 and Nurse-\nPractitioner", "2019 -\n2024 and Nurse-\nPractitioner", 0),
        ("R e g i s t e r e d  n u r s e", "Registered nurse", 1),
        ("E x p e r i e n c e", "Experience", 1),
        ("grades A B C D and J. R. R. T.", "grades A B C D and J. R. R. T.", 0),
        ("â€¢ Designed MicroStationÂ® tools", "• Designed MicroStation® tools", 2),
        ("Résumé, Ångström, naïve — 5 €", "Résumé, Ångström, naïve — 5 €", 0),
        ("a\u00a0b\u2009c\u2028d\r\ne\u000bf", "a b c\nd\ne\nf", 0),
        ("left        right", "left  right", 0),
    ],
)
def test_a_word_is_one_word_again(broken: str, mended: str, num_repaired: int) -> None:
    assert repair(broken) == (mended, num_repaired)


def test_mended_text_needs_no_mending() -> None:
    text = "R e g i s t e r e d  n u r s e, paedi-\natrics â€¢ BLS\u00a0&\u2009ACLS"

    once, _ = repair(text)

    assert repair(once) == (once, 0)
