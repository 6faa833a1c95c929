"""The rows of the table of texts in docs/security.md that a record meets before the model."""

import json

import pytest

from services.contracts.errors import InvalidInput
from services.events.wire.event_codec import decode_event
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted


def record(resume: str) -> bytes:
    return json.dumps({"application_id": "a-1", "job_id": "j-1", "resume": resume}).encode()


@pytest.mark.parametrize("resume", ["", " \t\n", "\u00a0\u2003\u3000"])
def test_a_resume_without_a_letter_is_refused_by_name(resume: str) -> None:
    with pytest.raises(InvalidInput, match="resume: is required"):
        decode_event(record(resume), (), ApplicationSubmitted)


@pytest.mark.parametrize(("size", "limit"), [(10_000_000, "2097152"), (262_145, "262144")])
@pytest.mark.parametrize("unit", ["x", "Ten years. "])
def test_a_resume_that_is_too_large_is_refused_with_the_limit(size: int, limit: str, unit: str) -> None:
    with pytest.raises(InvalidInput, match=limit):
        decode_event(record((unit * size)[:size]), (), ApplicationSubmitted)


def test_half_a_surrogate_pair_in_a_value_is_read_as_the_replacement_character() -> None:
    assert decode_event(record("Ten years \ud800"), (), ApplicationSubmitted).resume == "Ten years \ufffd"


@pytest.mark.parametrize(
    "resume",
    ["x" * 262_144, "NUL \x00 inside", "\u202eevil\u202c", "👩‍💻", "سيرة ذاتية", "履歴書", "a\u200bb"],
)
def test_whatever_else_a_text_holds_is_taken_as_it_came(resume: str) -> None:
    assert decode_event(record(resume), (), ApplicationSubmitted).resume == resume
