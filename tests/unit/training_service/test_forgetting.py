"""A forgotten person's texts are gone from the disk and do not come back."""

from pathlib import Path

from services.events.wire.job_records import PostedJob
from services.training_service.database import DATABASE_FILE, Database
from services.training_service.labels.forgetting import Forgotten, forget_application
from services.training_service.labels.intake_records import Label, SeenApplication
from services.training_service.labels.label_store import LabelStore

MARK = "Mxyzptlk of Teststreet"
RECORDS = [
    PostedJob("j-1", "A job"),
    SeenApplication("a-1", "j-1", MARK, None, 1.0),
    Label("a-1", "r-1", 80.0, 1.0),
    Label("a-1", "r-2", 70.0, 1.0, MARK, "A job"),
    SeenApplication("a-2", "j-1", "Another resume", None, 1.0),
    Label("a-2", "r-1", 60.0, 1.0),
]


def test_texts_labels_and_their_traces_on_the_disk_are_gone(tmp_path: Path) -> None:
    database = Database(tmp_path)
    store = LabelStore(database, held_out_share=0.0)
    store.apply(RECORDS, {})
    assert any(MARK.encode() in path.read_bytes() for path in tmp_path.iterdir())

    assert forget_application(database, "a-1", 2.0) == Forgotten(num_applications=1, num_labels=2)

    assert not any(MARK.encode() in path.read_bytes() for path in tmp_path.iterdir())
    assert store.counts().num_usable == 1
    assert store.pairs(["a-1"]) == []
    assert store.pairs(["a-2"])[0].resume == "Another resume"
    database.close()
    assert MARK.encode() not in (tmp_path / DATABASE_FILE).read_bytes()


def test_reading_the_topics_again_brings_nobody_back(tmp_path: Path) -> None:
    database = Database(tmp_path)
    store = LabelStore(database, held_out_share=0.0)
    store.apply(RECORDS, {})
    forget_application(database, "a-1", 2.0)

    outcomes = store.apply(RECORDS, {})

    assert outcomes["forgotten"] == 2
    assert store.counts().num_usable == 1
    assert not any(MARK.encode() in path.read_bytes() for path in tmp_path.iterdir())
    database.close()


def test_a_person_can_be_forgotten_before_anything_is_known_and_twice(tmp_path: Path) -> None:
    database = Database(tmp_path)
    for _ in range(2):
        assert forget_application(database, "a-1", 2.0) == Forgotten(0, 0)
    LabelStore(database, 0.0).apply(RECORDS, {})
    assert LabelStore(database, 0.0).pairs(["a-1"]) == []
    assert not any(b"a-1" in path.read_bytes() for path in tmp_path.iterdir() if path.name == DATABASE_FILE)
    database.close()
