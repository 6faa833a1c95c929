"""One log format for our own events and for every library's, without personal data.

An event is a short fixed sentence with facts beside it: ``log.info("worker ready", seconds=1.2)``.
Payloads, resumes, job texts and record keys are never logged.
"""

import logging
import re
import sys
import threading
import traceback
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from services.process.settings import LogSettings

# Libraries that tell at INFO what only their own developers want to know.
LIBRARY_LEVEL = logging.WARNING
OWN_LOGGERS = ("services", "training")

COMMAND = "command"  # what a person started, who sees errors and their own texts anyway

# asyncio repeats a forgotten task's exception, text and all, in its own message.
_REPEATED_EXCEPTION = re.compile(r"exception=.*>", re.DOTALL)
#: Trace id of the running work, for log lines; tasks that it starts inherit it.
current_trace_id: ContextVar[str] = ContextVar("current_trace_id", default="")

_MAX_FRAMES = 12

# Names under which a resume, a job text or a person could slip into a log line.
PRIVATE_FIELDS = frozenset(
    {"resume", "job", "job_description", "description", "title", "text", "prompt", "value", "payload"}
    | {"key", "headers", "name", "email", "phone", "rater", "reasoning", "password"}
)


def configure_logging(settings: LogSettings, service: str) -> None:
    """Sends every log line of this process to standard error in one format.

    Args:
        settings: ``log_level`` and ``log_format``.
        service: name of this process, such as ``scoring-worker``; stands in every line.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        describe_exception,
        hide_repeated_exception,
        _name_service(service),
        name_trace,
        hide_private_fields,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.disable(logging.NOTSET)  # commands silence all loggers; a service that starts in one must speak
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LIBRARY_LEVEL)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(settings.log_level)
    _silence_own_handlers_of_libraries()
    if service != COMMAND:
        _log_uncaught_exceptions()
    # Else a line that cannot be written is dumped to stderr with the exceptions around it, texts and all.
    logging.raiseExceptions = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Returns the logger of a module; works before ``configure_logging`` too.

    Args:
        name: ``__name__`` of the module.
    """
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def hide_private_fields(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replaces the value of every field whose name says that it may hold personal data."""
    for field in PRIVATE_FIELDS.intersection(event):
        event[field] = "[hidden]"
    return event


def name_trace(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Adds the trace id of the application or call that the line is about, where it is traced."""
    trace_id = current_trace_id.get()
    if trace_id:
        event["trace_id"] = trace_id
    return event


def describe_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replaces an exception by its kind, its causes' kinds and its frames: its text may quote a resume."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        kinds: list[str] = []
        frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
        cause: BaseException | None = error
        while cause is not None and len(kinds) < _MAX_FRAMES:
            kinds.append(type(cause).__name__)
            cause = cause.__cause__ or cause.__context__
        event["exception_kinds"] = kinds
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def hide_repeated_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Takes the exception out of the message of a task whose exception nobody asked for."""
    if event.get("logger") == "asyncio":
        event["event"] = _REPEATED_EXCEPTION.sub("exception=[hidden]>", str(event["event"]))
    return event


def _log_uncaught_exceptions() -> None:
    log = get_logger("services")

    def tell(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            log.critical("uncaught exception", exc_info=(kind, error, trace))

    sys.excepthook = tell
    threading.excepthook = lambda given: tell(given.exc_type, given.exc_value, given.exc_traceback)


def _name_service(service: str) -> Processor:
    def add(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add


def _silence_own_handlers_of_libraries() -> None:
    # A library that brought a handler of its own would print beside our format.
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and not name.startswith(OWN_LOGGERS):
            logger.handlers[:] = []
            logger.propagate = True
            if logger.level < LIBRARY_LEVEL:
                logger.setLevel(logging.NOTSET)
