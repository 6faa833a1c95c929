"""A label store in a folder of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.training_service.database import Database
from services.training_service.labels.label_store import LabelStore
from services.training_service.runs.run_store import RunStore


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "trainer")
    yield database
    database.close()


@pytest.fixture
def labels(database: Database) -> LabelStore:
    return LabelStore(database, held_out_share=0.0)


@pytest.fixture
def runs(database: Database) -> RunStore:
    return RunStore(database)
