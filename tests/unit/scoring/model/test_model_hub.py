"""Each reason why the model hub gives no model has its own words; over HTTP, against a hub of our own."""

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.doubles.processes.forked import run_forked

pytestmark = pytest.mark.slow

# What the real hub answers, by the name that is asked for: status and headers.
ANSWERS = {
    "google/gated": (401, {"X-Error-Code": "GatedRepo"}),
    "google/granted-to-others": (403, {"X-Error-Code": "GatedRepo"}),
    "google/typo": (404, {"X-Error-Code": "RepoNotFound"}),
    "google/bad-token": (401, {"X-Error-Message": "Invalid credentials in Authorization header"}),
    "google/broken": (500, {}),
}


class Hub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802 - the library's name
        name = next((name for name in ANSWERS if name in self.path), "google/typo")
        status, headers = ANSWERS[name]
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def _no_variables_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("HF_"):
            monkeypatch.delenv(name)


def prepare(name: str, home: Path, **variables: str) -> str:
    """Returns the last line of `model prepare` in a process of its own."""
    chosen = {"SCORER_BASE_MODEL": name, "HF_HOME": str(home)}
    finished = run_forked("services.cli", "model", "prepare", **chosen | variables)
    assert finished.returncode == 1, finished.stderr
    return finished.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "token", "words"),
    [
        ("google/gated", "", "accepted its licence on its page there; then set HF_TOKEN"),
        ("google/granted-to-others", "hf_x", "the account of HF_TOKEN has not, or waits for an answer"),
        ("google/typo", "", "no model of this name (a typo?), or a private one that needs HF_TOKEN"),
        ("google/typo", "hf_x", "or a private one that the account of HF_TOKEN may not read"),
        ("google/bad-token", "hf_x", "the model hub refuses the token in HF_TOKEN"),
        ("google/broken", "", "the model hub cannot be reached (HfHubHTTPError)"),
        ("no/such/name", "", "neither 'gemma-3-270m', a folder, nor a name that the model hub could have"),
    ],
)
def test_the_reason_is_told(name: str, token: str, words: str, endpoint: str, tmp_path: Path) -> None:
    told = prepare(name, tmp_path, HF_ENDPOINT=endpoint, HF_TOKEN=token)

    assert told.startswith(f"resume-scorer: base model {name}: ")
    assert words in told
    assert "hf_x" not in told


def test_a_network_that_is_away_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    away = prepare("google/gemma-2-2b-it", tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{port}")
    offline = prepare("google/gemma-2-2b-it", tmp_path, HF_HUB_OFFLINE="1")

    assert "the model hub cannot be reached (ConnectError)" in away
    assert "HF_HUB_OFFLINE forbids to fetch it" in offline
