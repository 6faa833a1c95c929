from services.scoring.reading.texts.repetition import without_repeats

RESUME = "Registered nurse with five years.\nResponsibilities:\nTitrated vasopressors on nights.\n"


def test_a_text_said_twenty_times_is_read_once() -> None:
    text, num_repeated = without_repeats(RESUME * 20)

    assert (
        text.count("Registered nurse with five years") == text.count("Titrated vasopressors on nights") == 1
    )
    assert num_repeated > 0.9 * len(RESUME * 19) - 19 * len("Responsibilities:\n")


def test_case_marks_and_blanks_make_no_new_line() -> None:
    text, _ = without_repeats("Led a team of nine nurses.\n* LED a team  of nine nurses!\n")

    assert text == "Led a team of nine nurses.\n"


def test_sentences_of_a_text_without_lines_are_told_apart() -> None:
    sentence = "Managed a ward of thirty beds with nine nurses on three shifts. "
    text, num_repeated = without_repeats(sentence * 30)

    assert text == sentence
    assert num_repeated == 29 * len(sentence)


def test_short_headings_and_what_differs_stay() -> None:
    text = RESUME + "Responsibilities:\nTitrated vasopressors on days.\n"

    assert without_repeats(text) == (text, 0)
