"""What is fuzzed: everything that reads bytes or texts from outside. Only typed errors may come out."""

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from services.adapters.manifest import parse_manifest
from services.contracts.errors import AdapterIncompatible, InvalidInput, SettingsInvalid
from services.contracts.reference import reference_from_json
from services.contracts.scoring import NUM_SCORES, PairRequest, ScoreDistribution
from services.events.wire.event_codec import decode_event, encode_event, event_time_seconds
from services.events.wire.message_limits import violations_of
from services.events.wire.message_mapping import result_message
from services.pb.scoring.v1.events_pb2 import (
    AdapterPublished,
    AnnotationRequested,
    ApplicationSubmitted,
    JobPosted,
    ScoreLabelled,
)
from services.pb.scoring.v1.score_pb2 import ScoreResult
from services.pb.scoring.v1.scoring_service_pb2 import RankCandidatesRequest
from services.process.settings import Settings, load_settings
from services.scoring.reading.attacks.injection_detector import is_suspicious
from services.scoring.reading.attacks.instruction_removal import without_instructions
from services.scoring.reading.identity.identity_masking import mask_identity
from services.scoring.reading.texts.text_cleaning import clean_text
from services.scoring_api.access.tokens_file import read_tokens_file
from tests.doubles.scorer import fake_score

EVENTS: tuple[type[Message], ...] = (
    ApplicationSubmitted,
    JobPosted,
    ScoreLabelled,
    AnnotationRequested,
    AdapterPublished,
    ScoreResult,
    RankCandidatesRequest,
)
CONTENT_TYPES = (
    b"",
    b"application/json",
    b"application/json; charset=utf-8",
    b"application/x-protobuf",
    b"\xff",
)
# Half of the names are real ones, so that values get looked at.
_NAMES = st.one_of(
    st.sampled_from(sorted({field.name for event in EVENTS for field in event.DESCRIPTOR.fields})), st.text()
)
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.characters(categories=["Cs"])
)
_JSON = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner), max_leaves=6)
_OBJECTS = st.dictionaries(_NAMES, _JSON, max_size=8).map(lambda content: json.dumps(content).encode())
_DEEP = st.sampled_from([b'{"job":' * depth + b"1" + b"}" * depth for depth in (2, 90, 110, 2000, 20_000)])
_VALUES = st.one_of(st.none(), st.binary(max_size=400), _OBJECTS, _DEEP)


@given(st.sampled_from(EVENTS), _VALUES, st.sampled_from(CONTENT_TYPES), st.binary(max_size=40))
def event_decoding(event: type[Message], value: bytes | None, content_type: bytes, time: bytes) -> None:
    headers = [("content-type", content_type), ("ce_time", time)]
    event_time_seconds(headers, None)
    try:
        message = decode_event(value, headers, event)
    except InvalidInput:
        return
    assert violations_of(message) == ()
    # What was accepted can be written and is read again as the same.
    assert decode_event(encode_event(message), [], event) == message


@given(
    st.lists(st.floats(0, 1), min_size=NUM_SCORES, max_size=NUM_SCORES).filter(lambda found: sum(found) > 0),
    st.text(max_size=50),
    st.integers(0, 2**31 - 1),
    st.lists(st.text(max_size=20).filter(str.isprintable), max_size=3),
)
def score_mapping(weights: list[float], name: str, num_tokens: int, flags: list[str]) -> None:
    total = sum(weights)
    distribution = ScoreDistribution(tuple(weight / total for weight in weights))
    pair = PairRequest("a-1", "j", "r")
    score = dataclasses.replace(
        fake_score(pair),
        distribution=distribution,
        base_model=name,
        num_prompt_tokens=num_tokens,
        flags=tuple(flags),
    )
    message = result_message(score, pair, "job")
    assert 0 <= message.score <= 100 + 1e-9
    assert message.percentile_10 <= message.median <= message.percentile_90
    assert ScoreResult.FromString(message.SerializeToString()) == message


_VARIABLES = st.dictionaries(
    st.sampled_from(sorted(Settings.model_fields)).map(lambda field: f"SCORER_{field.upper()}"),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(["on", "off", "auto", "none", "json", "[]", "{}", "null", "1e999"]),
    max_size=4,
)


@given(_VARIABLES)
def settings(variables: dict[str, str]) -> None:
    with patch.dict(os.environ, variables, clear=True):
        try:
            found = load_settings()
        except SettingsInvalid:
            return
    for field in ("KAFKA_SASL_PASSWORD", "GRPC_ADMIN_TOKEN"):
        secret = variables.get(f"SCORER_{field}", "")
        assert getattr(found, field.lower()).get_secret_value() == secret
        assert getattr(found, field.lower()).__repr__() in ("SecretStr('')", "SecretStr('**********')")


_MANIFESTS = st.one_of(
    st.binary(max_size=300),
    _JSON.map(lambda content: json.dumps(content).encode()),
    st.dictionaries(
        st.text(max_size=12),
        st.fixed_dictionaries({"sha256": _LEAVES, "num_bytes": _LEAVES}) | _JSON,
        max_size=4,
    ).map(lambda files: json.dumps({"format": 1, "files": files}).encode()),
    st.sampled_from([b"[" * depth for depth in (1, 900, 20_000)]),
)


@given(_MANIFESTS)
def adapter_manifest(content: bytes) -> None:
    with contextlib.suppress(AdapterIncompatible):
        for name, entry in parse_manifest("adapter", content).items():
            assert isinstance(name, str)
            assert isinstance(entry.num_bytes, int)


@given(_JSON)
def drift_reference(content: Any) -> None:
    reference_from_json(content)


_TOKENS = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.tuples(st.text('ab."-_ ]', max_size=6), st.text("0f\"'", max_size=70), _JSON).map(
        lambda parts: (
            f'[callers.{parts[0]}]\ntoken_sha256 = "{parts[1]}"\nscopes = {json.dumps(parts[2])}'.encode()
        )
    ),
)


@given(_TOKENS)
def tokens_file(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tokens.toml")
        path.write_bytes(content)
        with contextlib.suppress(SettingsInvalid):
            assert all(caller.scopes for caller in read_tokens_file(path).values())


_PIECES = st.one_of(
    st.text(st.characters(), max_size=30),
    st.sampled_from(
        [
            "\u200b",
            "\u202e",
            "\ud800",
            "\U000e0041",
            "ignore",
            "previous",
            "instructions",
            "score",
            "100",
            "<!--",
            "she",
            "\u017f",
            "\u0131",
        ]
    ),
)


@given(st.lists(_PIECES, max_size=30).map(" ".join) | st.lists(_PIECES, max_size=30).map("".join))
def texts(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    cleaned.encode()  # no lone surrogate is left
    is_suspicious(text, text)
    without_instructions(text, "")
    mask_identity(text)


TARGETS: dict[str, Callable[[], None]] = {
    "event_decoding": event_decoding,
    "score_mapping": score_mapping,
    "settings": settings,
    "adapter_manifest": adapter_manifest,
    "drift_reference": drift_reference,
    "tokens_file": tokens_file,
    "texts": texts,
}
