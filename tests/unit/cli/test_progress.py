"""What a person sees of long work whose output goes into a file."""

import threading

from services.cli.progress import ProgressLines


def test_a_line_tells_what_is_done_the_rate_and_what_is_left() -> None:
    now = [100.0]
    lines = ProgressLines("scoring", 1000, clock=lambda: now[0])

    at_first = lines.line()
    now[0] += 20
    lines.advance(50)

    assert at_first == "scoring: 0 of 1000"
    assert lines.line() == "scoring: 50 of 1000, 2.5 a second, 6 min 20 s left"
    lines.advance(940)
    assert lines.line().endswith("50 a second, 0 s left")


def test_lines_come_though_nothing_moves_and_end_with_the_work() -> None:
    written: list[str] = []
    three = threading.Event()

    def write(line: str) -> None:
        written.append(line)
        if len(written) == 3:
            three.set()

    with ProgressLines("scoring", 2, write).running(interval_seconds=0.01):
        assert three.wait(10)

    num_written = len(written)
    assert set(written) == {"scoring: 0 of 2"}
    assert not any(thread.name == "progress" for thread in threading.enumerate())
    assert len(written) == num_written
