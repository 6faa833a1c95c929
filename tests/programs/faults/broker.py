"""A broker that can be taken away: stopped with SIGSTOP, its connections cut, and continued."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.devkit.embedded_broker import EmbeddedBroker

CHUNK_BYTES = 65_536


class CuttableBroker:
    """The embedded broker behind a relay of TCP connections, which alone knows how to cut them."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker
        self._writers: set[asyncio.StreamWriter] = set()

    def stop(self) -> None:
        """Holds the broker: connections stand, and nobody answers."""
        os.kill(self._pid, signal.SIGSTOP)

    def cut(self) -> int:
        """Resets every connection; returns how many ends there were."""
        num_cut = len(self._writers)
        for writer in list(self._writers):
            writer.transport.abort()
        return num_cut

    def go_on(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    @property
    def _pid(self) -> int:
        assert self._broker._process is not None
        return self._broker._process.pid

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(self._broker.host, self._broker.port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, inner_writer}
        self._writers |= ends
        try:
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def cuttable_broker() -> AsyncIterator[tuple[CuttableBroker, str]]:
    """Yields a broker and the address at which clients reach it."""
    relay: CuttableBroker | None = None

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert relay is not None
        with suppress(asyncio.CancelledError):
            await relay.relay(reader, writer)

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    broker = EmbeddedBroker(advertised=address)
    broker.start()
    relay = CuttableBroker(broker)
    try:
        yield relay, address
    finally:
        relay.go_on()
        server.close()
        relay.cut()
        broker.stop()
