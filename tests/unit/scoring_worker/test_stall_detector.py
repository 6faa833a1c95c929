from services.scoring_worker.intake.stall_detector import MAX_GAP_SECONDS, StallDetector, Stand

WINDOW = 100.0
STEP = 10.0


def looks(detector: StallDetector, stands: list[dict[int, Stand]], start: float = 0.0) -> float:
    """Looks every few seconds; returns the time of the last look."""
    now = start
    for number, each in enumerate(stands):
        now = start + number * STEP
        detector.look(now, each, is_assigned=True)
    return now


def test_lag_without_any_commit_is_a_stall_after_the_window() -> None:
    detector = StallDetector()

    now = looks(detector, [{0: Stand(5, 9), 1: Stand(7, 7)}] * 11)

    assert detector.stalled_partitions(now, WINDOW) == {0: 5}
    assert detector.stalled_partitions(now - STEP, WINDOW) == {}


def test_one_commit_begins_the_window_anew() -> None:
    detector = StallDetector()

    now = looks(detector, [{0: Stand(5, 9)}] * 8 + [{0: Stand(6, 9)}] * 8)

    assert detector.stalled_partitions(now, WINDOW) == {}


def test_no_lag_is_no_stall_however_long() -> None:
    detector = StallDetector()

    now = looks(detector, [{0: Stand(9, 9)}] * 50 + [{0: Stand(9, 10)}])

    assert detector.stalled_partitions(now, WINDOW) == {}


def test_a_partition_that_was_given_away_and_came_back_has_its_whole_window() -> None:
    detector = StallDetector()

    now = looks(detector, [{0: Stand(5, 9)}] * 8 + [{}] + [{0: Stand(5, 9)}] * 8)

    assert detector.stalled_partitions(now, WINDOW) == {}


def test_what_nobody_saw_counts_for_nothing() -> None:
    """While Kafka was away nothing could be committed."""
    detector = StallDetector()
    now = looks(detector, [{0: Stand(5, 9)}] * 10)

    now = looks(detector, [{0: Stand(5, 9)}] * 5, start=now + MAX_GAP_SECONDS + 1)

    assert detector.stalled_partitions(now, WINDOW) == {}


def test_a_forgiven_partition_begins_anew() -> None:
    detector = StallDetector()
    now = looks(detector, [{0: Stand(5, 9)}] * 11)

    detector.forgive({0})
    now = looks(detector, [{0: Stand(5, 9)}] * 3, start=now + STEP)

    assert detector.stalled_partitions(now, WINDOW) == {}


def test_a_worker_that_is_never_told_its_partitions_stalls_too() -> None:
    detector = StallDetector()
    for number in range(11):
        detector.look(number * STEP, {}, is_assigned=False)

    assert detector.is_unassigned(100.0, WINDOW)
    detector.look(110.0, {}, is_assigned=True)
    assert not detector.is_unassigned(110.0, WINDOW)
