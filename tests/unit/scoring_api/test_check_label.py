import math
from typing import Any

import pytest

from services.contracts.errors import InvalidInput
from services.pb.scoring.v1.events_pb2 import ScoreLabelled
from services.pb.scoring.v1.feedback_service_pb2 import SubmitLabelRequest
from services.scoring_api.calls.feedback_servicer import check_label


def request(**judgement: Any) -> SubmitLabelRequest:
    return SubmitLabelRequest(label=ScoreLabelled(application_id="a-1", rater="r-1", **judgement))


@pytest.mark.parametrize(
    "judgement", [{"score": 0.0}, {"category": "good"}, {"score": 100, "category": "excellent"}]
)
def test_a_score_or_a_category_is_a_judgement(judgement: dict[str, Any]) -> None:
    check_label(request(**judgement))


def test_a_score_outside_its_category_is_refused_with_both_fields() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_label(request(score=99, category="poor"))

    assert [each.field for each in refused.value.violations] == ["label.score", "label.category"]


def test_neither_is_none() -> None:
    with pytest.raises(InvalidInput, match=r"label\.score"):
        check_label(request())


@pytest.mark.parametrize("judgement", [{"score": 101}, {"score": math.nan}, {"category": "superb"}])
def test_a_judgement_off_the_scale_is_refused(judgement: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="label"):
        check_label(request(**judgement))


def test_a_request_without_a_label_is_refused() -> None:
    with pytest.raises(InvalidInput, match="label: is required"):
        check_label(SubmitLabelRequest())
