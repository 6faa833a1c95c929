import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from services.service_kit.logging import configure_logging, get_logger
from services.service_kit.settings import load_settings


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_own_and_foreign_lines_have_one_format_and_hide_private_fields(
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure_logging(load_settings(log_format="json"), "scoring-worker")

    get_logger("services.test").info("scored", resume="Ada Lovelace", pairs=3)
    logging.getLogger("aiokafka.test").warning("lost %s", "the broker")
    logging.getLogger("aiokafka.test").info("chatter")

    own, foreign = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (own["event"], own["pairs"], own["service"]) == ("scored", 3, "scoring-worker")
    assert "Ada" not in json.dumps(own)
    assert (foreign["event"], foreign["logger"]) == ("lost the broker", "aiokafka.test")
