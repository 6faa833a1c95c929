import pytest

from services.pb.scoring.v1.scoring_service_pb2 import ExplainRequest, ScoreRequest
from services.scoring_api.calls.explanation_price import price_of


@pytest.mark.parametrize(
    ("num_lines", "max_tokens", "price"),
    [
        (1, 1, 1 + 1),  # a single part is not left out
        (2, 16, 1 + 2 + 1),
        (5, 17, 1 + 5 + 2),
        (400, 0, 1 + 12 + 8),
        (400, 512, 1 + 12 + 32),
    ],
)
def test_an_explanation_costs_its_passes_and_its_words(num_lines: int, max_tokens: int, price: int) -> None:
    resume = "\n".join(f"Line {number}" for number in range(num_lines))

    request = ExplainRequest(request=ScoreRequest(resume=resume), max_tokens=max_tokens)

    assert price_of(request) == price
