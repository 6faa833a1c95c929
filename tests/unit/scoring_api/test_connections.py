import os
import socket

from services.scoring_api.access.connections import close_connections, peer_of


def test_a_peer_is_known_by_address_and_port() -> None:
    assert peer_of("ipv4:127.0.0.1:4711") == ("127.0.0.1", 4711)
    assert peer_of("ipv6:%5B::1%5D:4711") == ("::1", 4711)
    assert peer_of("ipv6:%5B::ffff:10.0.0.1%5D:4711") == ("10.0.0.1", 4711)
    assert peer_of("unix:/run/socket") is None


def test_only_connections_to_the_port_end_and_only_those_that_are_not_spared() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours, socket.create_server(("127.0.0.1", 0)) as other:
        clients = [socket.create_connection(each.getsockname(), timeout=2) for each in (ours, ours, other)]
        accepted = [each.accept()[0] for each in (ours, ours, other)]
        num_open = len(os.listdir("/proc/self/fd"))
        spared = clients[1].getsockname()

        num_closed = close_connections(ours.getsockname()[1], {spared})

        assert num_closed == 1
        assert clients[0].recv(1) == b""
        for client, server in zip(clients[1:], accepted[1:], strict=True):
            server.sendall(b"x")
            assert client.recv(1) == b"x"
        assert len(os.listdir("/proc/self/fd")) == num_open
        for each in (*clients, *accepted):
            each.close()
