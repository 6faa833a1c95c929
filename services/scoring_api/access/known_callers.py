"""Which token may do what."""

import hmac
from pathlib import Path

from services.process.settings import AccessSettings
from services.scoring_api.access.callers import NOBODY, OPEN_SCOPES, Caller, Scope
from services.scoring_api.access.tokens_file import TokensFile, token_digest
from services.scoring_api.answers.call_errors import CallerUnknown, ScopeMissing, TokensUnusable

ADMINISTRATOR = "administrator"
_SCHEME = "bearer"


class KnownCallers:
    """Knows every caller by the digest of its token.

    Args:
        settings: name the tokens file and the administrator's token.

    Raises:
        SettingsInvalid: the file cannot be read; names it and the entry at fault.
    """

    def __init__(self, settings: AccessSettings) -> None:
        path = settings.grpc_tokens_file
        self._file = TokensFile(Path(path).expanduser(), settings.grpc_tokens_grace_seconds) if path else None
        admin = settings.grpc_admin_token.get_secret_value()
        self._fixed = {token_digest(admin): Caller(ADMINISTRATOR, frozenset({"admin"}))} if admin else {}

    @property
    def are_tokens_required(self) -> bool:
        """Returns whether even scoring needs a token."""
        return self._file is not None

    @property
    def are_known(self) -> bool:
        """Returns whether tokens can be told from each other: the file counts, or none is set."""
        return self._file is None or self._file.callers is not None

    @property
    def is_file_failing(self) -> bool:
        """Returns whether a file is set and cannot be used now."""
        return self._file is not None and self._file.is_failing

    def admit(self, authorization: str | None, scope: Scope | None) -> Caller:
        """Returns who calls.

        Args:
            authorization: the header of that name.
            scope: what the method needs; None: any caller that is known.

        Raises:
            TokensUnusable: the tokens file cannot be used, and has not for too long.
            CallerUnknown: a token is needed, and the given one is not known.
            ScopeMissing: the caller may not do this, or nobody may because no token is set up.
        """
        if not self.are_tokens_required and scope in (None, *OPEN_SCOPES):
            return self._find(authorization) or NOBODY
        if not self.are_tokens_required and not self._fixed:
            raise ScopeMissing("no token with this scope is set up")
        caller = self._find(authorization)
        if caller is None and not self.are_known:
            raise TokensUnusable("the tokens file cannot be used")
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
        from_file = self._file.callers if self._file is not None else None
        for digest, caller in {**(from_file or {}), **self._fixed}.items():
            if hmac.compare_digest(digest, given):
                found = caller
        return found if scheme.lower() == _SCHEME else None  # schemes are written in any case
