"""Asks the process of this machine whether it is ready: python -m services.process.health_check.

For container engines without HTTP probes. Worker, API and trainer each have their own port, and a container
runs one of them: it is well if any answers ready. The exit code is 0 then, else 1.
"""

import http.client
import sys
from collections.abc import Iterable

from services.process.settings import Settings, load_settings

PORT_SETTINGS = ("worker_metrics_port", "api_metrics_port", "trainer_metrics_port")
ANSWER_SECONDS = 2.0


def ports_of(settings: Settings) -> list[int]:
    """Returns the ports on which health is served."""
    return [getattr(settings, name) for name in PORT_SETTINGS]


def is_any_ready(ports: Iterable[int], host: str = "127.0.0.1") -> bool:
    """Returns whether a process on one of the ports says that it is ready."""
    return any(_is_ready(host, port) for port in ports)


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_any_ready(ports_of(load_settings())) else 1)
