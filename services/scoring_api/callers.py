"""Who calls: bearer tokens with scopes, from a file that may change while the service runs."""

import hashlib
import hmac
import os
import threading
import tomllib
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import grpc
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.contracts.errors import ScorerError, SettingsInvalid
from services.service_kit.logging import get_logger
from services.service_kit.settings import Settings, variable_of

log = get_logger(__name__)

Scope = Literal["score", "feedback", "admin"]
OPEN_SCOPES: frozenset[Scope] = frozenset({"score", "feedback"})
ANONYMOUS = "anonymous"
ADMINISTRATOR = "administrator"
_SCHEME = "bearer"


class CallerUnknown(ScorerError):
    """A call needs a valid token and has none."""


class ScopeMissing(ScorerError):
    """The caller is known and may not call this method."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a call comes from.

    Attributes:
        name: as in the tokens file; never taken from the request itself.
        scopes: what the caller may do.
    """

    name: str
    scopes: frozenset[Scope]


NOBODY = Caller(ANONYMOUS, OPEN_SCOPES)
#: The caller of the running call; tasks that a call starts inherit it.
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=NOBODY)


def identify(context: grpc.aio.ServicerContext) -> Caller:
    """Returns who calls; without a token, by the client's certificate or by its address."""
    caller = current_caller.get()
    if caller.name != ANONYMOUS:
        return caller
    identities = context.peer_identities()
    if identities:
        return Caller(f"certificate:{next(iter(identities)).decode('utf-8', 'replace')}", caller.scopes)
    # Without the port, which is another one for each connection.
    return Caller(f"{ANONYMOUS}@{context.peer().rpartition(':')[0]}", caller.scopes)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    token_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    scopes: Annotated[frozenset[Scope], Field(min_length=1)]


class _TokensFile(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    callers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")], _Entry]


class KnownCallers:
    """Knows every caller by the digest of its token.

    Args:
        settings: name the tokens file and the administrator's token.

    Raises:
        SettingsInvalid: the file cannot be read; names it and the entry at fault.
    """

    def __init__(self, settings: Settings) -> None:
        self._path = Path(settings.grpc_tokens_file).expanduser() if settings.grpc_tokens_file else None
        admin = settings.grpc_admin_token.get_secret_value()
        self._fixed = {token_digest(admin): Caller(ADMINISTRATOR, frozenset({"admin"}))} if admin else {}
        self._lock = threading.Lock()
        self._stamp = stamp_of(self._path)
        self._from_file = read_tokens_file(self._path) if self._path else {}

    @property
    def are_tokens_required(self) -> bool:
        """Returns whether even scoring needs a token."""
        return self._path is not None

    def admit(self, authorization: str | None, scope: Scope | None) -> Caller:
        """Returns who calls.

        Args:
            authorization: the header of that name.
            scope: what the method needs; None: any caller that is known.

        Raises:
            CallerUnknown: a token is needed, and the given one is not known.
            ScopeMissing: the caller may not do this, or nobody may because no token is set up.
        """
        if not self.are_tokens_required and scope in (None, *OPEN_SCOPES):
            return self._find(authorization) or NOBODY
        if not self.are_tokens_required and not self._fixed:
            raise ScopeMissing("no token with this scope is set up")
        caller = self._find(authorization)
        if caller is None:
            raise CallerUnknown("a valid bearer token is needed")
        if scope is not None and scope not in caller.scopes:
            raise ScopeMissing(f"the scope {scope} is needed")
        return caller

    def _find(self, authorization: str | None) -> Caller | None:
        scheme, _, token = (authorization or "").partition(" ")
        given = token_digest(token)
        found = None
        # Every digest is compared, each in constant time: the delay tells nothing of any of them.
        for digest, caller in {**self._current(), **self._fixed}.items():
            if hmac.compare_digest(digest, given):
                found = caller
        return found if scheme.lower() == _SCHEME else None  # schemes are written in any case

    def _current(self) -> dict[bytes, Caller]:
        if self._path is None:
            return {}
        with self._lock:
            stamp = stamp_of(self._path)
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._from_file = read_tokens_file(self._path)
                    log.info("tokens read again", callers=len(self._from_file))
                except SettingsInvalid as error:
                    # A slip in the file must not lock everybody out; those already known stay.
                    log.error("the changed tokens file is not used", reason=str(error))
            return self._from_file


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


def stamp_of(path: Path | None) -> tuple[int, int, int] | None:
    """Returns what changes whenever a file is written or replaced; None where there is none."""
    try:
        status = os.stat(path) if path is not None else None
    except OSError:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns) if status is not None else None
