"""Every row of the table of texts in docs/security.md, as far as cleaning goes."""

import pytest

from services.scoring.reading.texts.text_cleaning import clean_text, num_hidden_characters


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (" a\x00b\r\nc\ud800d\r\x1be ", "a b\nc\ufffdd\n e"),
        ("\ufeffzero\u200bwidth\u2060", "zerowidth"),
        ("co\u00adoperate", "cooperate"),
        ("\u202eabc\u202c \u200fdef\u2066g\u2069", "abc defg"),
        ("no\u200djoin \u200cer", "nojoin er"),
        ("\u200d\u200ca\u200d\u200cb\u200d \u0645\u200c", "ab \u0645\u200c"),
        ("e" + "\u0323" * 90, "\u1eb9" + "\u0323" * 29),
        ("x\U000e0069\U000e0067y", "xy"),
        ("𝗜𝗴𝗻𝗼𝗿𝗲 𝟭𝟬𝟬 Ｆｕｌｌ ⓐⓑ ﬁne", "Ignore 100 Full ab fine"),
        ("Cafe\u0301", "Caf\u00e9"),
    ],
)
def test_what_no_reader_sees_goes_and_what_is_dressed_up_becomes_plain(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "naïve café",
        "简历 履歴書 이력서",
        "סיכום סמך",
        "السيرة الذاتية",
        "می\u200cخواهم",  # Persian needs its joiner
        "क्\u200dष",
        "👩‍💻🎉 🏳️‍🌈",
        "½ of 10 m² at 5 °C … ™",
        "a\tb\n\n\nc   d",
    ],
)
def test_honest_text_of_any_script_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text


def test_cleaning_twice_is_cleaning_once() -> None:
    text = "".join(
        map(chr, [*range(0x3000), *range(0xD800, 0xD810), *range(0xF900, 0x10000), *range(0x1D400, 0x1D800)])
    )

    assert clean_text(clean_text(text)) == clean_text(text)


def test_only_characters_that_hide_inside_words_are_counted() -> None:
    assert num_hidden_characters("i\u200bg\u200bn\u200bo\u200bre") == 4
    assert num_hidden_characters("\u202e001 erocs") == 1
    assert num_hidden_characters("- item\u200b\n\u200b- item \u200b") == 0
    assert num_hidden_characters("co\u00adoperate می\u200cخواهم 👩‍💻") == 0
