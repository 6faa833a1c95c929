"""How the API's port is protected: TLS from files that may be renewed, or plaintext on loopback."""

import ipaddress
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509

from services.contracts.errors import SettingsInvalid
from services.process.logging import get_logger
from services.process.settings import ApiSettings, variable_of
from services.scoring_api.access.tokens_file import Stamp, stamp_of

log = get_logger(__name__)

_FILE_FIELDS = ("grpc_tls_certfile", "grpc_tls_keyfile", "grpc_tls_client_cafile")


@dataclass(frozen=True, slots=True)
class _Loaded:
    configuration: Any
    expiry_seconds: float


class ServerCertificate:
    """The server's certificate; each new connection gets the one that the files hold then.

    Raises:
        SettingsInvalid: a file is missing, or certificate and key do not belong together.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()  # handshakes and scrapes come from threads of their own
        self._stamps = self._current_stamps()
        self._loaded = self._served = _load(settings)

    def credentials(self) -> grpc.ServerCredentials:
        """Returns what a port is opened with."""
        return grpc.dynamic_ssl_server_credentials(
            self._loaded.configuration,
            self._fetch,
            require_client_authentication=bool(self._settings.grpc_tls_client_cafile),
        )

    def expiry_seconds(self) -> float:
        """Returns when the certificate ends, in seconds since 1970."""
        with self._lock:
            self._refresh()
            return self._loaded.expiry_seconds

    def _fetch(self) -> Any:
        """Returns the changed files for the handshake at hand, or None where nothing changed."""
        with self._lock:
            self._refresh()
            if self._served is self._loaded:
                return None
            self._served = self._loaded
            return self._loaded.configuration

    def _refresh(self) -> None:
        stamps = self._current_stamps()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._loaded = _load(self._settings)
            log.info("certificate read again")
        except SettingsInvalid as error:
            # Renewals write one file after the other; the old pair serves until both fit.
            log.error("the changed certificate is not used", reason=str(error))

    def _current_stamps(self) -> tuple[Stamp | None, ...]:
        chosen = (getattr(self._settings, field) for field in _FILE_FIELDS)
        return tuple(stamp_of(Path(file).expanduser() if file else None) for file in chosen)


def check_transport(settings: ApiSettings) -> None:
    """Accepts settings whose port is protected: cheap, so that it can come before the model is loaded.

    Raises:
        SettingsInvalid: plaintext would be offered to other machines, or only one of two files is named.
    """
    files = [bool(getattr(settings, field)) for field in _FILE_FIELDS]
    if files[0] != files[1] or (files[2] and not files[0]):
        missing = "grpc_tls_keyfile" if files[0] else "grpc_tls_certfile"
        raise SettingsInvalid(f"{variable_of(missing)}: is needed beside the other TLS files")
    if not files[0] and not settings.api_allow_plaintext and not _is_loopback(settings.grpc_host):
        raise SettingsInvalid(
            f"{variable_of('grpc_host')}: {settings.grpc_host} can be reached from other machines, and "
            f"resumes would travel unencrypted; set {variable_of('grpc_tls_certfile')} and "
            f"{variable_of('grpc_tls_keyfile')}, or {variable_of('api_allow_plaintext')}=on where something "
            "else encrypts"
        )


def open_port(server: grpc.aio.Server, settings: ApiSettings, watch_expiry: Callable[..., None]) -> str:
    """Opens the port of the settings.

    Args:
        server: without a port.
        watch_expiry: given a function that returns when the certificate ends, where there is one.

    Returns:
        The address with the real port.

    Raises:
        SettingsInvalid: the address cannot be bound, or ``check_transport`` and ``ServerCertificate`` refuse.
    """
    check_transport(settings)
    host = f"[{settings.grpc_host}]" if ":" in settings.grpc_host else settings.grpc_host
    address = f"{host}:{settings.grpc_port}"
    certificate = ServerCertificate(settings) if settings.grpc_tls_certfile else None
    try:
        if certificate is None:
            port = server.add_insecure_port(address)
        else:
            watch_expiry(certificate.expiry_seconds)
            port = server.add_secure_port(address, certificate.credentials())
    except RuntimeError as error:
        variables = f"{variable_of('grpc_host')}, {variable_of('grpc_port')}"
        raise SettingsInvalid(f"{variables}: cannot bind {address}") from error
    has_callers = bool(settings.grpc_tokens_file or settings.grpc_tls_client_cafile)
    if not has_callers and not _is_loopback(settings.grpc_host):
        log.warning("anyone who reaches the port may score: there are no tokens and no client certificates")
    return f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _load(settings: ApiSettings) -> _Loaded:
    chain = _read(settings, "grpc_tls_certfile")
    key = _read(settings, "grpc_tls_keyfile")
    authorities = _read(settings, "grpc_tls_client_cafile") if settings.grpc_tls_client_cafile else None
    names = f"{variable_of('grpc_tls_certfile')}, {variable_of('grpc_tls_keyfile')}"
    try:
        certificate = x509.load_pem_x509_certificate(chain)
        if authorities is not None:
            x509.load_pem_x509_certificates(authorities)
        # gRPC itself would say nothing until the first handshake fails.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            Path(settings.grpc_tls_certfile).expanduser(),
            Path(settings.grpc_tls_keyfile).expanduser(),
            password=lambda: b"",  # else OpenSSL would ask at the terminal
        )
    except (ValueError, OSError) as error:  # ssl.SSLError is an OSError
        raise SettingsInvalid(f"{names}: hold no certificate with its unencrypted key") from error
    return _Loaded(
        grpc.ssl_server_certificate_configuration([(key, chain)], authorities),
        certificate.not_valid_after_utc.timestamp(),
    )


def _read(settings: ApiSettings, field: str) -> bytes:
    path = Path(getattr(settings, field)).expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsInvalid(f"{variable_of(field)}: {path}: {error.strerror}") from error
