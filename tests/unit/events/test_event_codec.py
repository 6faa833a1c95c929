import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.errors import InvalidInput
from services.events.wire.event_codec import (
    MAX_VALUE_BYTES,
    cloud_event_headers,
    decode_event,
    encode_event,
    event_time_seconds,
)
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted
from services.pb.scoring.v1.score_pb2 import ScoreResult

GOOD = {"application_id": "a", "job_id": "b", "resume": "Knows Kafka"}
KINDS = {"bad_encoding", "bad_json", "wrong_type", "unknown_field", "field_limits"}
BINARY = [("content-type", b"application/x-protobuf")]

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def decode(value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> ApplicationSubmitted:
    return decode_event(value, headers or [], ApplicationSubmitted)


def test_both_spellings_and_the_binary_form_are_the_same_event() -> None:
    camel = {"applicationId": "a", "jobId": "b", "resume": "Knows Kafka"}
    expected = ApplicationSubmitted(**GOOD)

    assert decode(json.dumps(GOOD).encode()) == expected
    assert decode(json.dumps(camel).encode()) == expected
    assert decode(expected.SerializeToString(), [("Content-Type", BINARY[0][1])]) == expected


def test_an_encoded_message_spells_every_field_as_in_the_schema() -> None:
    content = json.loads(encode_event(ScoreResult(application_id="a", percentile_10=3)))

    assert content["percentile_10"] == 3
    assert content["truncated_tokens"] == 0
    assert content["flags"] == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"resume": ""}, "field_limits"),
        ({"resume": 1}, "wrong_type"),
        ({"job": "text"}, "wrong_type"),
        ({"job": []}, "wrong_type"),
        ({"job": {"title": 1, "description": "x"}}, "wrong_type"),
        ({"job": {"description": "x", "salary": 1}}, "unknown_field"),
        ({"salary": 1}, "unknown_field"),
        ({"job": {}}, "field_limits"),
    ],
)
def test_a_bad_field_has_its_kind_and_is_not_repeated_in_the_message(
    change: dict[str, object], kind: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        decode(json.dumps(GOOD | change).encode())

    assert refusal.value.kind == kind
    assert "Kafka" not in str(refusal.value)


def test_a_value_too_large_to_be_good_is_not_even_parsed() -> None:
    with pytest.raises(InvalidInput) as refusal:
        decode(b"{" * (MAX_VALUE_BYTES + 1))

    assert refusal.value.kind == "field_limits"


def test_a_nul_character_in_a_resume_is_accepted() -> None:
    assert decode(json.dumps(GOOD | {"resume": "a\0b"}).encode()).resume == "a\0b"


@given(st.binary(max_size=60), st.sampled_from([[], BINARY]))
def test_any_bytes_are_an_event_or_a_known_kind_of_refusal(
    value: bytes, headers: list[tuple[str, bytes]]
) -> None:
    _decode_or_refuse(value, headers)


@given(st.dictionaries(st.sampled_from([*GOOD, "job", "x"]), JSON_VALUES))
def test_any_json_object_is_an_event_or_a_known_kind_of_refusal(content: dict[str, object]) -> None:
    _decode_or_refuse(json.dumps(content).encode(), [])


def _decode_or_refuse(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    kind = ""
    try:
        decode(value, headers)
    except InvalidInput as refusal:
        kind = refusal.kind
    assert kind in KINDS | {""}


def test_the_time_of_an_event_is_its_own_before_that_of_the_record() -> None:
    written = cloud_event_headers("topic", "id")

    assert dict(written)["ce_type"] == b"topic"
    assert event_time_seconds(written, None) is not None
    assert event_time_seconds([("ce_time", b"1970-01-01T00:00:07Z")], 9000) == 7
    assert event_time_seconds([("ce_time", b"yesterday")], 9000) == 9
    assert event_time_seconds([("ce_time", b"\xff")], None) is None
