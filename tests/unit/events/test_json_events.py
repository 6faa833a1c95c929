import json
from typing import Any

import pytest

from services.contracts.errors import InvalidInput
from services.events.wire.event_codec import decode_event, decode_known_fields
from services.pb.scoring.v1.events_pb2 import AdapterPublished, ApplicationSubmitted, JobPosted
from services.pb.scoring.v1.scoring_service_pb2 import RankCandidatesRequest

GOOD = {"application_id": "a", "job_id": "b", "resume": "Knows Kafka"}
BINARY = [("content-type", b"application/x-protobuf")]


def refusal(value: bytes, message_type: Any = ApplicationSubmitted) -> str:
    with pytest.raises(InvalidInput) as refused:
        decode_known_fields(value, [], message_type)
    return str(refused.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"application_id": 12345}, "application_id: a number where a string is expected"),
        ({"applicationId": True, "application_id": None}, "application_id: stands twice"),
        ({"resume": ["Knows"]}, "resume: a list where a string is expected"),
        ({"job": "text"}, "job: a string where an object is expected"),
        ({"job": []}, "job: a list where an object is expected"),
        ({"job": {"title": 1, "description": "x"}}, "job.title: a number where a string is expected"),
        ({"job": {"description": {"text": "x"}}}, "job.description: an object where a string is expected"),
        ({"job": {"title": "x"}}, "job.description: is required"),
    ],
)
def test_a_reason_names_the_path_what_was_found_and_what_is_expected(
    change: dict[str, object], reason: str
) -> None:
    assert refusal(json.dumps(GOOD | change).encode()).startswith(reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "two"}, "version: a string where a whole number is expected"),
        ({"version": 1.5}, "version: a number where a whole number is expected"),
        ({"version": -1}, "version: is below 0"),
        (
            {"post_time": "yesterday"},
            "post_time: a string where a time such as 2026-01-31T09:30:00Z is expected",
        ),
        ({"postTime": 5}, "post_time: a number where a time such as"),
    ],
)
def test_times_and_whole_numbers_are_named_as_such(change: dict[str, object], reason: str) -> None:
    job = {"job_id": "a", "description": "x"}
    assert refusal(json.dumps(job | change).encode(), JobPosted).startswith(reason)


def test_paths_lead_into_lists_and_maps_by_place() -> None:
    candidates = [{"id": "1", "resume": "x"}, {"id": "2", "resume": 7}]
    content = {"job_description": "x", "candidates": candidates}
    assert refusal(json.dumps(content).encode(), RankCandidatesRequest) == (
        "candidates[1].resume: a number where a string is expected"
    )
    content = {"name": "x", "metrics": {"good": 1.5, "Ada": "high"}}
    assert refusal(json.dumps(content).encode(), AdapterPublished) == (
        "metrics[1]: a string where a number is expected"
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"[]", "value: a list where an object is expected"),
        (b'"text"', "value: a string where an object is expected"),
        (b'{"a": 1,\n "b" 2}', "value: not JSON (line 2, column 6)"),
        (b'{"a": NaN}', "value: not JSON (a number that JSON does not have)"),
        (b'{"a": ' + b"[" * 100_000, "value: nested too deep"),
        (b"\x00\x00\x00\x00\x07{}", "value: framed for a schema registry"),
        (b"\xff{}", "value: not UTF-8"),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_place(value: bytes, reason: str) -> None:
    assert refusal(value).startswith(reason)


def test_a_binary_record_with_a_frame_is_refused_with_the_name_of_the_format() -> None:
    framed = b"\x00\x00\x00\x00\x07\x00" + ApplicationSubmitted(**GOOD).SerializeToString()
    with pytest.raises(InvalidInput, match="schema registry"):
        decode_event(framed, BINARY, ApplicationSubmitted)


def test_unknown_fields_are_read_past_and_named_by_their_paths() -> None:
    extra = {"salary": 1, "x y": {"a": []}, "job": {"description": "x", "city": {"deep": [1]}}}

    decoded = decode_known_fields(json.dumps(GOOD | extra).encode(), [], ApplicationSubmitted)

    assert decoded.message.job.description == "x"
    assert list(decoded.unknown_fields) == ["salary", "(a name of another form)", "job.city"]
    with pytest.raises(InvalidInput, match=r"salary: is unknown .*; job.city: is unknown"):
        decode_event(json.dumps(GOOD | extra).encode(), [], ApplicationSubmitted)


def test_unknown_numbers_of_the_binary_form_are_read_past_and_named() -> None:
    inner = b"\x12\x01x" + b"\x78\x05"  # description, and field 15
    value = (
        ApplicationSubmitted(**GOOD).SerializeToString() + b"\x22" + bytes([len(inner)]) + inner + b"\x70\x01"
    )

    decoded = decode_known_fields(value, BINARY, ApplicationSubmitted)

    assert decoded.message.job.description == "x"
    assert list(decoded.unknown_fields) == ["(number 14)", "job.(number 15)"]


def test_a_byte_order_mark_is_read_past() -> None:
    decoded = decode_known_fields(json.dumps(GOOD).encode("utf-8-sig"), [], ApplicationSubmitted)
    assert decoded.message == ApplicationSubmitted(**GOOD)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"half \ud800 pair", "half \ufffd pair"),
        (r"\uDC00", "\ufffd"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"a backslash: \\ud800", r"a backslash: \ud800"),
        (r"\\\ud800", "\\\ufffd"),
    ],
)
def test_half_a_surrogate_pair_is_read_as_the_replacement_character(written: str, read: str) -> None:
    value = json.dumps(GOOD | {"job": {"description": "WRITTEN"}}).replace("WRITTEN", written)
    assert decode_event(value.encode(), [], ApplicationSubmitted).job.description == read


def test_half_a_surrogate_pair_in_a_name_makes_it_an_unknown_one() -> None:
    # protobuf answers it with a SystemError: uncaught, the record would kill one worker after the other.
    value = json.dumps(GOOD | {"app\ud800lication_id": "a-1"}).encode()
    assert decode_known_fields(value, [], ApplicationSubmitted).message == ApplicationSubmitted(**GOOD)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('{"job_id": "a", "job_id": "b"}', "job_id: stands twice in one object"),
        ('{"job": {"title": "a", "title": "b"}}', "job.title: stands twice in one object"),
        ('{"jobId": "a", "job_id": "b"}', "job_id: stands twice, as job_id and jobId"),
        ('{"salary": 1, "salary": 2}', "salary: stands twice in one object"),
    ],
)
def test_a_name_that_stands_twice_is_refused_by_name(value: str, reason: str) -> None:
    assert refusal(value.encode()) == reason
