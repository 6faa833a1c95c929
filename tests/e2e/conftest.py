"""The same broker and desk as in the integration tests."""

from tests.integration.conftest import bootstrap_servers, desk, settings

__all__ = ["bootstrap_servers", "desk", "settings"]
