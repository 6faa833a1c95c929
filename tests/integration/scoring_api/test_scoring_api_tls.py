"""TLS on a real channel: who gets in, what a renewal changes, and when the API refuses to start."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.contracts.errors import SettingsInvalid
from services.pb.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub
from services.process.settings import Settings
from services.scoring_api.access.server_transport import check_transport
from tests.doubles.api import Api, running_api, score_request
from tests.doubles.certificates import Authority, Identity
from tests.doubles.scorer import FakeScorer

EXPIRY = "scoring_tls_certificate_expiry_timestamp_seconds"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@contextlib.asynccontextmanager
async def connected(api: Api, authority: Authority, client: Identity | None = None) -> AsyncIterator[Any]:
    """Yields a stub on a new connection that trusts the authority."""
    credentials = grpc.ssl_channel_credentials(
        authority.certificate, client.key if client else None, client.certificate if client else None
    )
    # Without this option channels to one address share a connection, and with it its handshake.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(api.addresses.grpc, credentials, options=options) as channel:
        yield ScoringServiceStub(channel)  # type: ignore[no-untyped-call]


async def is_let_in(api: Api, authority: Authority, client: Identity | None = None) -> bool:
    async with connected(api, authority, client) as stub:
        try:
            await stub.Score(score_request(1), timeout=10)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:  # what a failed handshake gives
                raise
            return False
        return True


async def test_only_clients_that_speak_tls_are_answered(authority: Authority, tmp_path: Path) -> None:
    async with running_api(FakeScorer(), **authority.issue("server").write(tmp_path)) as api:
        assert await is_let_in(api, authority)
        assert not await is_let_in(api, Authority("somebody else"))
        with pytest.raises(grpc.aio.AioRpcError):
            await api.scoring.Score(score_request(1), timeout=10)  # the channel of `api` is plaintext


async def test_mutual_tls_lets_only_certificates_of_its_authority_in(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "clients.pem").write_bytes(authority.certificate)
    files = authority.issue("server").write(tmp_path) | {
        "grpc_tls_client_cafile": str(tmp_path / "clients.pem")
    }
    async with running_api(FakeScorer(), **files) as api:
        assert await is_let_in(api, authority, authority.issue("ats"))
        assert not await is_let_in(api, authority)
        assert not await is_let_in(api, authority, Authority("somebody else").issue("ats"))


async def test_a_renewed_certificate_is_served_without_a_restart(
    authority: Authority, tmp_path: Path
) -> None:
    first, renewed = authority.issue("server", days=2), Authority("next").issue("server", days=9)
    async with (
        running_api(FakeScorer(), **first.write(tmp_path)) as api,
        connected(api, authority) as open_stub,
    ):
        await open_stub.Score(score_request(1))
        assert api.registry.get_sample_value(EXPIRY) == first.expiry_seconds

        renewed.write(tmp_path)

        assert not await is_let_in(api, authority)
        assert api.registry.get_sample_value(EXPIRY) == renewed.expiry_seconds
        await open_stub.Score(score_request(2))  # open connections go on


async def test_a_half_written_renewal_leaves_the_old_certificate_in_place(
    authority: Authority, tmp_path: Path
) -> None:
    first = authority.issue("server", days=2)
    async with running_api(FakeScorer(), **first.write(tmp_path)) as api:
        (tmp_path / "server.crt").write_bytes(authority.issue("server", days=9).certificate)

        assert await is_let_in(api, authority)
        assert api.registry.get_sample_value(EXPIRY) == first.expiry_seconds


async def test_without_tls_there_is_no_expiry(authority: Authority) -> None:
    async with running_api(FakeScorer()) as api:
        assert api.registry.get_sample_value(EXPIRY) is None


async def test_plaintext_for_other_machines_does_not_start_unless_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="SCORER_API_ALLOW_PLAINTEXT=on"):
        async with running_api(FakeScorer(), grpc_host="0.0.0.0"):
            pass
    async with running_api(FakeScorer(), grpc_host="0.0.0.0", api_allow_plaintext=True) as api:
        await api.scoring.Score(score_request(1))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_loopback_needs_no_tls(host: str) -> None:
    check_transport(Settings(grpc_host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "scoring-api", "localhost.example"])
def test_any_other_address_does(host: str) -> None:
    with pytest.raises(SettingsInvalid, match="SCORER_GRPC_HOST"):
        check_transport(Settings(grpc_host=host))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"grpc_tls_certfile": "a"}, "SCORER_GRPC_TLS_KEYFILE"),
        ({"grpc_tls_keyfile": "a"}, "SCORER_GRPC_TLS_CERTFILE"),
        ({"grpc_tls_client_cafile": "a"}, "SCORER_GRPC_TLS_CERTFILE"),
    ],
)
def test_one_file_without_the_other_is_refused(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        check_transport(Settings(**given))  # type: ignore[arg-type]


async def test_files_that_do_not_belong_together_stop_the_start(authority: Authority, tmp_path: Path) -> None:
    files = authority.issue("server").write(tmp_path)
    Path(files["grpc_tls_keyfile"]).write_bytes(authority.issue("other").key)
    with pytest.raises(SettingsInvalid, match="SCORER_GRPC_TLS_CERTFILE"):
        async with running_api(FakeScorer(), **files):
            pass
