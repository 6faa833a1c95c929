"""Which applications are chosen for labels, by a clock that the test moves."""

import pytest

from services.scoring_worker.annotation_choice import (
    AnnotationChooser,
    ScoredApplication,
    category_margin,
)
from tests.doubles.clock import Clock

PER_HOUR = 20
INTERVAL_SECONDS = 180.0


def application(name: str, score: float = 55.0, deviation: float = 5.0) -> ScoredApplication:
    return ScoredApplication(name, "job", score, deviation, "digest")


def chosen(chooser: AnnotationChooser) -> tuple[str, str] | None:
    choice = chooser.take()
    return choice and (choice.application.application_id, choice.reason)


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def chooser(clock: Clock) -> AnnotationChooser:
    return AnnotationChooser(PER_HOUR, clock)


def test_the_widest_and_the_one_nearest_to_a_border_take_turns(
    chooser: AnnotationChooser, clock: Clock
) -> None:
    found = []
    for interval in range(4):
        chooser.offer(application(f"first-{interval}", 55.0, 5.0))
        chooser.offer(application(f"wide-{interval}", 75.0, 30.0))
        chooser.offer(application(f"border-{interval}", 64.0, 10.0))
        chooser.offer(application(f"last-{interval}", 20.0, 2.0))
        clock.now += INTERVAL_SECONDS
        found.append(chosen(chooser))

    assert found == [
        ("wide-0", "standard_deviation"),
        ("border-1", "category_margin"),
        ("wide-2", "standard_deviation"),
        ("border-3", "category_margin"),
    ]


def test_nothing_is_chosen_before_the_interval_is_over(chooser: AnnotationChooser, clock: Clock) -> None:
    chooser.offer(application("early"))
    clock.now += INTERVAL_SECONDS - 1
    assert chosen(chooser) is None
    assert chooser.seconds_left == pytest.approx(1)

    chooser.offer(application("late", deviation=9.0))
    clock.now += 1

    assert chosen(chooser) == ("late", "standard_deviation")


def test_an_hour_sees_no_more_than_allowed_however_often_it_is_asked(
    chooser: AnnotationChooser, clock: Clock
) -> None:
    found = []
    for second in range(3600):
        chooser.offer(application(f"a-{second}", deviation=1 + second % 7))
        clock.now += 1
        found.append(chosen(chooser))
    assert len([choice for choice in found if choice]) == PER_HOUR

    clock.now += 3600  # nobody asked for an hour: the missed intervals are not made up for
    chooser.offer(application("after"))
    assert chosen(chooser) == ("after", "standard_deviation")
    assert chosen(chooser) is None


def test_an_application_is_never_chosen_twice(chooser: AnnotationChooser, clock: Clock) -> None:
    for expected in (("one", "standard_deviation"), ("two", "category_margin"), None):
        chooser.offer(application("one", 65.0, 30.0))
        chooser.offer(application("two", 60.0, 10.0))
        clock.now += INTERVAL_SECONDS
        assert chosen(chooser) == expected


def test_what_was_chosen_is_remembered_within_bounds(clock: Clock) -> None:
    chooser = AnnotationChooser(PER_HOUR, clock, num_remembered=2)

    found = []
    for name in ("one", "two", "three", "three", "two", "one"):
        chooser.offer(application(name))
        clock.now += INTERVAL_SECONDS
        found.append(chosen(chooser) is not None)

    assert found == [True, True, True, False, False, True]


def test_an_interval_without_scores_or_with_certain_ones_alone_gives_nothing(
    chooser: AnnotationChooser, clock: Clock
) -> None:
    clock.now += INTERVAL_SECONDS
    assert chosen(chooser) is None

    chooser.offer(application("certain", 65.0, 0.0))
    clock.now += INTERVAL_SECONDS
    assert chosen(chooser) is None

    chooser.offer(application("next"))
    clock.now += INTERVAL_SECONDS
    assert chosen(chooser) == ("next", "standard_deviation")


@pytest.mark.parametrize(
    ("score", "deviation", "expected"), [(65, 5, 0), (55, 5, 2), (0, 9, 5), (100, 30, 0.5), (46, 4, 0.25)]
)
def test_the_margin_is_the_distance_to_the_nearest_border_in_deviations(
    score: float, deviation: float, expected: float
) -> None:
    assert category_margin(score, deviation) == pytest.approx(expected)
