"""Sends clients away while the gRPC server still stands.

gRPC's own stop resets every call that it has not handed out yet, and those that come before a client knows of
the stop. The client sees CANCELLED, which nobody retries. A connection that ends gives UNAVAILABLE instead.
"""

import ipaddress
import os
import socket
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

# Linux only; elsewhere nobody is sent away before the stop.
_DESCRIPTORS = Path("/proc/self/fd")

Peer = tuple[str, int]


def peer_of(told: str) -> Peer | None:
    """Returns address and port of a client, from what gRPC's context tells; None for other than IP."""
    host, _, port = told.partition(":")[2].replace("%5B", "").replace("%5D", "").rpartition(":")
    with suppress(ValueError):
        return _plain(host.strip("[]")), int(port)
    return None


def close_connections(port: int, spared: Collection[Peer | None]) -> int:
    """Ends the connections that clients have to a port of this process.

    Args:
        spared: clients that still wait for an answer.

    Returns:
        How many were ended.
    """
    num_closed = 0
    for connection in _connections(port):
        with connection, suppress(OSError):  # the client may have left meanwhile
            host, peer_port, *_ = connection.getpeername()
            if (_plain(host), peer_port) not in spared:
                connection.shutdown(socket.SHUT_RDWR)
                num_closed += 1
    return num_closed


def _connections(port: int) -> Iterator[socket.socket]:
    descriptors: list[str] = []
    with suppress(OSError):  # every descriptor may be in use
        descriptors = os.listdir(_DESCRIPTORS)
    for descriptor in descriptors:
        with suppress(OSError):  # closed since it was listed
            if stat.S_ISSOCK(os.fstat(int(descriptor)).st_mode):
                # A copy, so that closing it here leaves gRPC's own alone.
                found = socket.socket(fileno=os.dup(int(descriptor)))
                if found.family in (socket.AF_INET, socket.AF_INET6) and found.getsockname()[1] == port:
                    yield found
                else:
                    found.close()


def _plain(host: str) -> str:
    address = ipaddress.ip_address(host.partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address)
