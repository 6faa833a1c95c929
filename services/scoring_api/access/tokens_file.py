"""The file of callers and the digests of their tokens; it may change while the service runs."""

import hashlib
import os
import threading
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.contracts.errors import SettingsInvalid
from services.process.logging import get_logger
from services.process.settings import variable_of
from services.scoring_api.access.callers import Caller, Scope

log = get_logger(__name__)

# A file that could not be read, for want of descriptors for instance, is tried again after this.
RETRY_SECONDS = 1.0
Stamp = tuple[int, int, int, int]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    token_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    scopes: Annotated[frozenset[Scope], Field(min_length=1)]


class _TokensFile(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    callers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")], _Entry]


class TokensFile:
    """The callers of the file as it is now.

    A file that is gone, unreadable or broken leaves the callers of its last good state known for a while: a
    slip must not lock everybody out at once, and a token that was taken out must not stay valid for ever.

    Args:
        grace_seconds: how long the last good state counts.
        clock: seconds that only rise.

    Raises:
        SettingsInvalid: the file cannot be read; names it and the entry at fault.
    """

    def __init__(self, path: Path, grace_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._stamp = stamp_of(path)
        self._callers = read_tokens_file(path)
        self._failing_since: float | None = None
        self._tried_at = clock()

    @property
    def callers(self) -> dict[bytes, Caller] | None:
        """Returns who is known, by the digest of the token; None: the last good state counts no longer."""
        with self._lock:
            self._refresh()
            return None if self._is_expired else self._callers

    @property
    def is_failing(self) -> bool:
        """Returns whether the file cannot be used now, within its grace or not."""
        with self._lock:
            self._refresh()
            return self._failing_since is not None

    @property
    def _is_expired(self) -> bool:
        return self._failing_since is not None and self._clock() - self._failing_since >= self._grace_seconds

    def _refresh(self) -> None:
        stamp, now = stamp_of(self._path), self._clock()
        has_changed = stamp != self._stamp
        if not has_changed and (self._failing_since is None or now - self._tried_at < RETRY_SECONDS):
            return
        self._stamp, self._tried_at = stamp, now
        try:
            self._callers = read_tokens_file(self._path)
            self._failing_since = None
            log.info("tokens read again", callers=len(self._callers))
        except SettingsInvalid as error:
            if self._failing_since is None:
                self._failing_since = now
                has_changed = True
            if has_changed:
                log.error(
                    "the tokens file cannot be used; the tokens known so far end unless it can be in time",
                    reason=str(error),
                    grace_seconds=self._grace_seconds,
                )


def token_digest(token: str) -> bytes:
    """Returns what is stored of a token: tokens are random, so a plain SHA-256 cannot be reversed."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def read_tokens_file(path: Path) -> dict[bytes, Caller]:
    """Reads a tokens file: TOML with a table ``[callers.NAME]`` of ``token_sha256`` and ``scopes`` each.

    Raises:
        SettingsInvalid: it cannot be read; the message holds no digest.
    """
    variable = variable_of("grpc_tokens_file")
    try:
        content = _TokensFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise SettingsInvalid(f"{variable}: {path}: {problems}") from error
    except (OSError, ValueError) as error:  # tomllib's and UTF-8's errors are ValueErrors
        raise SettingsInvalid(f"{variable}: {path} is no readable TOML file") from error
    found = {
        bytes.fromhex(entry.token_sha256): Caller(name, entry.scopes)
        for name, entry in content.callers.items()
    }
    if len(found) < len(content.callers):
        raise SettingsInvalid(f"{variable}: {path}: two callers have the same token")
    return found


def stamp_of(path: Path | None) -> Stamp | None:
    """Returns what changes whenever a file is written, replaced or given other rights; None without one."""
    try:
        status = os.stat(path) if path is not None else None
    except OSError:
        return None
    if status is None:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
