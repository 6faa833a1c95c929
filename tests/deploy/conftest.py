from tests.integration.conftest import bootstrap_servers, settings

__all__ = ["bootstrap_servers", "settings"]
