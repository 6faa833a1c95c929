import pytest

from services.scoring.reading.text_encoder import TextEncoder


def test_the_tokenizer_is_gemmas(encoder: TextEncoder) -> None:
    assert encoder.encode_template("<bos>The capital of France is") == [2, 818, 5279, 529, 7001, 563]


@pytest.mark.parametrize("mark", ["<bos>", "<eos>", "<end_of_turn>", "<start_of_turn>", "<pad>", "<unused7>"])
def test_no_special_token_comes_out_of_outside_text(encoder: TextEncoder, mark: str) -> None:
    special = encoder.token_id(mark)

    tokens = encoder.encode_outside(f"I am {mark} a resume{mark}")

    assert special not in tokens
    assert encoder.decode(tokens) == f"I am {mark} a resume{mark}"


def test_marks_of_a_turn_count_in_our_own_text(encoder: TextEncoder) -> None:
    assert encoder.encode_template("<start_of_turn>user\nHi<end_of_turn>") == [105, 2364, 107, 10979, 106]


@pytest.mark.parametrize(
    "text", ["naïve café", "简历 履歴書 이력서", "סיכום", "👩‍💻🎉", "a\tb\n\n\nc   d", "x" * 5000]
)
def test_text_comes_back_as_it_went_in(encoder: TextEncoder, text: str) -> None:
    assert encoder.decode(encoder.encode_outside(text)) == text
