"""A line for every score, before anybody gets to see it: who asked, for what, which adapter, what came out.

Files of JSON lines that are only ever appended to; each line holds the digest of the one before it, so that a
line that was changed or taken out shows. Lines written at the same moment share one fsync. No line that
counts is ever removed here: how long the files are kept is the operator's to decide (docs/privacy.md).
"""

import asyncio
import hashlib
import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from services.contracts.errors import AuditLogUnwritable, SettingsInvalid
from services.contracts.outcomes import Entrypoint
from services.contracts.scoring import PairRequest, PairScore
from services.process.logging import get_logger
from services.process.settings import AuditLogSettings, variable_of

log = get_logger(__name__)

PREVIOUS = "previous_sha256"
# After a failure: who is not ready gets no score to write, so it is tried without one.
TRIAL_SECONDS = 2.0
# More than the rest of a block that a full disk may still have.
TRIAL_BYTES = 64 * 1024


class ScoreAudit(Protocol):
    """Takes note of scores.

    Attributes:
        is_writable: whether the next line is expected to be written; while not, the process is not ready.
    """

    @property
    def is_writable(self) -> bool: ...

    async def note(self, caller: str, entrypoint: Entrypoint, request: PairRequest, score: PairScore) -> None:
        """Returns once the line is safe on disk.

        Raises:
            AuditLogUnwritable: it is not; the score must not leave.
        """


class NoAudit:
    """Takes note of nothing: no folder is set."""

    is_writable = True

    async def note(
        self, caller: str, entrypoint: Entrypoint, request: PairRequest, score: PairScore
    ) -> None: ...

    async def close(self) -> None: ...


class AuditLog:
    """Writes to files of its own in a folder; for one event loop.

    Args:
        folder: made where missing, for this user alone.
        service: name of this process, the first part of each file's name.
        max_file_bytes: the file is closed and another begun after this many.
        on_failure: told of each line that could not be written.

    Raises:
        OSError: no file can be made.
    """

    def __init__(
        self, folder: Path, service: str, max_file_bytes: int, on_failure: Callable[[], None] = lambda: None
    ) -> None:
        self._folder = folder
        self._service = service
        self._max_file_bytes = max_file_bytes
        self._on_failure = on_failure
        self._pending: list[tuple[dict[str, Any], asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._trying: asyncio.Task[None] | None = None
        self._path: Path | None = None
        self._file: int | None = None
        self._num_bytes = 0
        self._previous = ""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open()

    @property
    def is_writable(self) -> bool:
        """Returns whether lines can be written; after a failure this is tried until they can."""
        return self._trying is None

    async def note(self, caller: str, entrypoint: Entrypoint, request: PairRequest, score: PairScore) -> None:
        """See ``ScoreAudit.note``."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((_entry(self._service, caller, entrypoint, request, score), written))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await written

    async def close(self) -> None:
        """Writes what is pending and closes the file."""
        if self._flushing is not None:
            await self._flushing
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.wait((self._trying,))
        self._end_file()

    async def _flush(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            error: OSError | None = None
            try:
                await asyncio.to_thread(self._append, [entry for entry, _ in batch])
            except OSError as failure:
                error = failure
                self._on_unwritable(failure)
            for _, written in batch:
                if error is not None:
                    self._on_failure()
                if written.done():
                    continue  # the caller left meanwhile
                if error is None:
                    written.set_result(None)
                else:
                    reason = error.strerror or type(error).__name__
                    written.set_exception(AuditLogUnwritable(f"the audit log cannot be written: {reason}"))

    def _on_unwritable(self, error: OSError) -> None:
        if self._trying is None:
            log.error("the audit log cannot be written; scores are held back", reason=error.strerror)
            self._trying = asyncio.create_task(self._try_until_writable())

    async def _try_until_writable(self) -> None:
        while True:
            await asyncio.sleep(TRIAL_SECONDS)
            try:
                await asyncio.to_thread(self._try_to_write)
            except OSError:
                continue
            self._trying = None
            log.info("the audit log can be written again")
            return

    def _try_to_write(self) -> None:
        path = self._folder / f"{self._service}-{socket.gethostname()}-{os.getpid()}.trial"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_whole(file, bytes(TRIAL_BYTES))
        finally:
            os.close(file)
            path.unlink()

    def _append(self, entries: list[dict[str, Any]]) -> None:
        try:
            if self._file is None or self._num_bytes >= self._max_file_bytes:
                self._end_file()
                self._open()
            previous, lines = self._previous, []
            for entry in entries:
                lines.append(json.dumps(entry | {PREVIOUS: previous}).encode() + b"\n")
                previous = hashlib.sha256(lines[-1]).hexdigest()
            self._write(b"".join(lines))
        except OSError:
            # Half a line may stand at the end: nothing may come behind it, so the next try begins a file.
            self._end_file()
            raise
        self._previous = previous

    def _write(self, content: bytes) -> None:
        if self._file is None:
            raise OSError("no audit file is open")
        _write_whole(self._file, content)
        self._num_bytes += len(content)

    def _open(self) -> None:
        started = datetime.now(UTC)
        # Replicas may share the folder: in containers their processes have the same number.
        name = f"{self._service}-{socket.gethostname()}-{started:%Y%m%dT%H%M%S.%f}Z-{os.getpid()}.jsonl"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        self._path = self._folder / name
        self._file = os.open(self._path, flags, 0o600)
        self._num_bytes, self._previous = 0, ""

    def _end_file(self) -> None:
        """Closes the file; removes it where no line of it counts, else a full disk would fill with them."""
        if self._file is None or self._path is None:
            return
        file, self._file = self._file, None
        if not self._num_bytes:
            with suppress(OSError):
                self._path.unlink()
        os.close(file)


def _write_whole(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]
    os.fsync(file)


def open_audit_log(
    settings: AuditLogSettings, service: str, on_failure: Callable[[], None]
) -> AuditLog | NoAudit:
    """Opens the audit log of the settings.

    Raises:
        SettingsInvalid: its folder cannot be written.
    """
    if not settings.audit_log_dir:
        return NoAudit()
    folder = Path(settings.audit_log_dir).expanduser()
    try:
        return AuditLog(folder, service, settings.audit_log_max_file_bytes, on_failure)
    except OSError as error:
        raise SettingsInvalid(
            f"{variable_of('audit_log_dir')}: {folder} cannot be written: {error.strerror}"
        ) from error


def input_digest(request: PairRequest) -> str:
    """Returns the SHA-256 of job and resume, by which a text can be recognised and not read."""
    digest = hashlib.sha256()
    for text in (request.job_description, request.resume):
        content = text.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8) + content)
    return digest.hexdigest()


def verify_file(path: Path) -> int:
    """Checks the chain of one file; a last line that was cut off by a crash is left out.

    Returns:
        The number of whole lines.

    Raises:
        ValueError: a line was changed, taken out or put in; names it.
    """
    previous = ""
    whole = path.read_bytes().split(b"\n")[:-1]
    for number, line in enumerate(whole, start=1):
        try:
            follows = json.loads(line)[PREVIOUS] == previous
        except (ValueError, LookupError, TypeError, RecursionError):
            follows = False
        if not follows:
            raise ValueError(f"{path}: line {number} does not follow the one before it")
        previous = hashlib.sha256(line + b"\n").hexdigest()
    return len(whole)


def _entry(
    service: str, caller: str, entrypoint: Entrypoint, request: PairRequest, score: PairScore
) -> dict[str, Any]:
    distribution = score.distribution
    return {
        "time": datetime.fromtimestamp(time.time(), UTC).isoformat(),
        "service": service,
        "caller": caller,
        "entrypoint": entrypoint,
        "application_id": request.request_id,
        "input_sha256": input_digest(request),
        "score": score.score,
        "category": score.category,
        "standard_deviation": distribution.standard_deviation,
        "percentile_10": distribution.percentile(10),
        "percentile_90": distribution.percentile(90),
        "flags": list(score.flags),
        "adapter_digest": score.adapter_digest,
        "adapter_version": score.adapter_version,
        "base_model": score.base_model,
        "prompt_version": score.prompt_version,
        "truncated_tokens": score.num_truncated_tokens,
        "job_truncated_tokens": score.num_job_truncated_tokens,
        "identity_masked": score.is_identity_masked,
    }
