"""Only what a person can read is shown as the model's words."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from services.scoring.engine.explanation_check import readable_sentences

PROSE = (
    "The candidate has five years in intensive care. BLS and ACLS, both required in 2024, are current. "
    "Experience with arterial lines is a plus; nothing is said about paediatrics."
)


class Model:
    """Writes a text piece by piece, as a tokenizer cuts it."""

    def __init__(self, text: str, piece_characters: int = 3) -> None:
        self.pieces = [text[at : at + piece_characters] for at in range(0, len(text), piece_characters)]
        self.num_written = 0
        self.is_closed = False

    async def write(self) -> AsyncGenerator[str, None]:
        try:
            for piece in self.pieces:
                self.num_written += 1
                yield piece
        finally:
            self.is_closed = True


async def shown(text: str) -> Sequence[str]:
    return [sentence async for sentence in readable_sentences(Model(text).write())]


async def test_prose_is_shown_whole_and_sentence_by_sentence() -> None:
    sentences = await shown(f" {PROSE}")

    assert "".join(sentences) == f" {PROSE}"
    assert len(sentences) == 3


async def test_a_text_that_was_cut_at_its_limit_keeps_its_last_words() -> None:
    assert "".join(await shown(PROSE[:-20])) == PROSE[:-20]


@pytest.mark.parametrize(
    "language", ["Fünf Jahre Erfahrung auf der Intensivstation.", "五年の集中治療の経験があります。"]
)
async def test_other_languages_are_shown(language: str) -> None:
    assert "".join(await shown(language)) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n" * 128,
        " \n" * 60,
        "91091091099109" + "9" * 110,
        "0.5 0.7 12/2020 - 11/2021 33 44 55 66 77 88 99",
        "and and and and and and and and and and and and",
        "nurse" * 20,
        "- - - - - - - - - - - - - - - - - - - - - -",
        "Yes.",
        "x" * 700,
    ],
)
async def test_what_nobody_can_read_is_not_shown(text: str) -> None:
    assert await shown(text) == []


@pytest.mark.parametrize("tail", ["\n" * 100, " 9" * 100, f" {PROSE}" * 3, " of the" * 40])
async def test_the_text_ends_where_it_degenerates(tail: str) -> None:
    sentences = await shown(f"{PROSE}{tail}")

    assert "".join(sentences).strip() == PROSE


async def test_a_model_that_degenerates_is_stopped_at_once() -> None:
    model = Model("\n" * 128, 1)

    assert [sentence async for sentence in readable_sentences(model.write())] == []
    assert model.num_written < 5
    assert model.is_closed


async def test_a_model_whose_reader_leaves_is_stopped() -> None:
    model = Model(PROSE)

    sentences = readable_sentences(model.write())
    await anext(sentences)
    await sentences.aclose()

    assert model.is_closed
