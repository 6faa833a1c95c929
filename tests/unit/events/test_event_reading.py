import json

import pytest
from prometheus_client import CollectorRegistry

from services.contracts.errors import InvalidInput
from services.contracts.topics import JOB_POSTED
from services.events.wire.batch_reading import Damage, DamagedBytes
from services.events.wire.event_codec import SourceRecord
from services.events.wire.event_reading import EventReader
from services.pb.scoring.v1.events_pb2 import JobPosted
from services.process.metrics.dead_letters import DeadLetterCounter

JOB = {"job_id": "a", "description": "Build", "salary": 1, "team": "x"}


def record(value: bytes) -> SourceRecord:
    return SourceRecord(JOB_POSTED, 0, 7, b"a", value)


def test_unknown_fields_are_counted_by_topic() -> None:
    registry = CollectorRegistry()
    reader = EventReader(count=DeadLetterCounter(registry))

    assert reader.read(record(json.dumps(JOB).encode()), JobPosted).description == "Build"

    labels = {"topic": JOB_POSTED}
    assert registry.get_sample_value("scoring_unknown_fields_total", labels) == 2


def test_a_strict_reader_refuses_them_by_name() -> None:
    with pytest.raises(InvalidInput, match="salary: is unknown to this version; team: is") as refused:
        EventReader(is_strict=True).read(record(json.dumps(JOB).encode()), JobPosted)

    assert refused.value.kind == "unknown_field"


@pytest.mark.parametrize("raw", [b"", b"{}", b"\x00" * 100])
def test_what_could_not_be_decoded_is_refused_with_its_offsets(raw: bytes) -> None:
    value = DamagedBytes(raw)
    value.damage = Damage("undecodable_batch", "its bytes are damaged", 5, 7)

    with pytest.raises(InvalidInput, match="offsets 5 to 7: its bytes are damaged") as refused:
        EventReader().read(record(value), JobPosted)

    assert refused.value.kind == "undecodable_batch"
