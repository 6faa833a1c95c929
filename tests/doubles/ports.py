"""Ports for servers of tests."""

import socket


def free_port() -> int:
    """Returns a port of loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
