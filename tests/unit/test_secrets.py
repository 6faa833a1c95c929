"""No secret of the settings prints, wherever it turns up."""

import json
import logging

import pytest
from pydantic import SecretStr

from services.events.kafka_client import client_options
from services.process.logging import hide_private_fields
from services.process.settings import Settings, load_settings

SECRET = "tr0ub4dor&3"
FIELDS = ("kafka_sasl_password", "grpc_admin_token")


def test_every_setting_that_sounds_secret_is_of_the_secret_type() -> None:
    suspicious = {
        name
        for name in Settings.model_fields
        if any(word in name for word in ("password", "token", "secret"))
        and not name.endswith(("_file", "_tokens", "token_budget", "_seconds"))
    }

    assert suspicious == set(FIELDS)
    assert all(Settings.model_fields[name].annotation is SecretStr for name in suspicious)


@pytest.mark.parametrize("field", FIELDS)
def test_a_secret_does_not_print(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    monkeypatch.setenv(f"SCORER_{field.upper()}", SECRET)
    settings = load_settings()

    told = [
        repr(settings),
        str(settings),
        f"{settings!r:>20}",
        settings.model_dump_json(),
        repr(settings.model_dump()),
    ]
    told += [logging.makeLogRecord({"msg": "%s", "args": (settings,)}).getMessage()]
    told += [json.dumps(hide_private_fields(None, "info", {"password": SECRET, "event": "x"}))]

    assert [text for text in told if SECRET in text] == []
    assert getattr(settings, field).get_secret_value() == SECRET


def test_kafka_gets_the_password_and_scram_over_tls() -> None:
    settings = Settings(
        kafka_security_protocol="SASL_SSL", kafka_sasl_username="me", kafka_sasl_password=SecretStr(SECRET)
    )

    options = client_options(settings)

    assert options["sasl_plain_password"] == SECRET
    assert (options["sasl_mechanism"], options["security_protocol"]) == ("SCRAM-SHA-512", "SASL_SSL")
    assert options["ssl_context"].check_hostname
    assert options["ssl_context"].verify_mode.name == "CERT_REQUIRED"
