import asyncio
import gc
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from services.process.logging import configure_logging, get_logger
from services.process.settings import load_settings


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, logs_failures = root.handlers[:], root.level, logging.raiseExceptions
    hooks = sys.excepthook, threading.excepthook
    yield
    sys.excepthook, threading.excepthook = hooks
    logging.raiseExceptions = logs_failures
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


def raise_with_text() -> None:
    try:
        raise KeyError("Ada Lovelace")
    except KeyError as cause:
        raise ValueError("cannot read Ada Lovelace") from cause


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_an_exception_is_told_by_its_kinds_and_frames_and_never_by_its_text(
    capfd: pytest.CaptureFixture[str], log_format: str
) -> None:
    configure_logging(load_settings(log_format=log_format), "scoring-worker")

    try:
        raise_with_text()
    except ValueError as error:
        get_logger("services.test").exception("own")
        logging.getLogger("aiokafka.test").error("foreign", exc_info=error)
        sys.excepthook(type(error), error, error.__traceback__)
    threads = [threading.Thread(target=raise_with_text)]
    threads[0].start()
    threads[0].join()

    told = capfd.readouterr().err
    assert told.count("ValueError") == 4
    assert told.count("KeyError") == 4
    assert "raise_with_text" in told
    assert "Ada" not in told


async def test_the_exception_of_a_task_that_nobody_awaits_is_not_quoted(
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure_logging(load_settings(log_format="json"), "scoring-worker")

    async def fail() -> None:
        raise ValueError("cannot read Ada Lovelace")

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task
    gc.collect()

    told = capfd.readouterr().err
    assert "never retrieved" in told
    assert "ValueError" in told
    assert "Ada" not in told


def test_a_line_that_cannot_be_written_is_no_reason_to_fail_or_to_dump_an_exception(
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure_logging(load_settings(log_format="json"), "scoring-worker")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    real, closed = handler.stream, io.StringIO()
    closed.close()
    handler.setStream(closed)
    try:
        raise_with_text()
    except ValueError:
        get_logger("services.test").exception("lost")
    handler.setStream(real)
    get_logger("services.test").info("found again")

    told = capfd.readouterr().err
    assert "Ada" not in told
    assert "found again" in told
