"""Dead letters go back to their topic once, by kind, whole, and end in a score if the cause is gone."""

import asyncio
import time

import pytest
from click.testing import CliRunner

from services.cli.__main__ import cli
from services.contracts.topics import (
    APPLICATION_SUBMITTED,
    SCORE_LABELLED,
    dead_letter_topic,
)
from services.events.kafka_client import publish, start_producer, stop_producer
from services.events.replay import DeadLetterReplay, ReplayInterrupted, replayed_headers
from services.events.wire.event_codec import SourceRecord
from services.process.settings import PREFIX, Settings
from tests.doubles.kafka_desk import KafkaDesk, Record

WEEK_MILLISECONDS = 7 * 24 * 3600 * 1000


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.events.replay.POLL_MILLISECONDS", 200)


async def put_aside(
    settings: Settings, desk: KafkaDesk, topic: str, letters: list[tuple[str, str]], *extra: tuple[str, bytes]
) -> None:
    """Writes dead letters, as ``DeadLetters`` does: name and kind of each."""
    producer = await start_producer(settings)
    for number, (name, kind) in enumerate(letters):
        record = SourceRecord(topic, 0, number, desk.name("key").encode(), desk.name(name).encode(), (), None)
        headers = [("traceparent", b"00-own"), ("scorer.error.kind", kind.encode())]
        await publish(
            producer,
            dead_letter_topic(topic),
            key=record.key,
            value=record.value,
            headers=[*headers, ("scorer.error.message", b"why"), *extra],
            timestamp_ms=round(time.time() * 1000) - WEEK_MILLISECONDS,
        )
    await stop_producer(producer)


async def replay(
    settings: Settings, *kinds: str, limit: int | None = None, topic: str = APPLICATION_SUBMITTED
) -> dict[str, int]:
    """Sends what waits; returns how many by kind."""
    producer = await start_producer(settings)
    try:
        replaying = DeadLetterReplay(settings, topic)
        return dict(await replaying.send(producer, await replaying.waiting(kinds), limit))
    finally:
        await stop_producer(producer)


async def records(desk: KafkaDesk, count: int, topic: str = APPLICATION_SUBMITTED) -> list[Record]:
    return await desk.read(topic, lambda found: len(found) >= count)


def names(desk: KafkaDesk, found: list[Record]) -> list[str]:
    return sorted(record.value.decode().removeprefix(f"{desk.prefix}-") for record in found)


async def test_letters_go_back_whole_without_their_errors_and_with_a_count(
    settings: Settings, desk: KafkaDesk
) -> None:
    await put_aside(settings, desk, APPLICATION_SUBMITTED, [("a", "scoring_failed"), ("b", "unknown_job")])

    assert await replay(settings) == {"scoring_failed": 1, "unknown_job": 1}

    found = await records(desk, 2)
    assert names(desk, found) == ["a", "b"]
    for record in found:
        assert record.key == desk.name("key").encode()
        assert record.headers == (("traceparent", b"00-own"), ("scorer.replays", b"1"))
        # Their retention begins anew, so that they are not removed before they are read.
        assert record.timestamp > time.time() * 1000 - WEEK_MILLISECONDS / 2


async def test_no_letter_goes_back_twice_and_a_later_one_does(settings: Settings, desk: KafkaDesk) -> None:
    await put_aside(settings, desk, APPLICATION_SUBMITTED, [("a", "unknown_job"), ("b", "unknown_job")])
    assert await replay(settings) == {"unknown_job": 2}
    assert await replay(settings) == {}

    await put_aside(settings, desk, APPLICATION_SUBMITTED, [("c", "unknown_job")])
    assert await replay(settings) == {"unknown_job": 1}
    assert names(desk, await records(desk, 3)) == ["a", "b", "c"]


async def test_a_kind_goes_back_while_those_around_it_wait(settings: Settings, desk: KafkaDesk) -> None:
    kinds = ["unknown_job", "scoring_failed", "unknown_job", "bad_json", "scoring_failed"]
    letters = [(f"{kind}-{number}", kind) for number, kind in enumerate(kinds)]
    await put_aside(settings, desk, APPLICATION_SUBMITTED, letters)

    assert await replay(settings, "scoring_failed") == {"scoring_failed": 2}
    assert await replay(settings, "scoring_failed", "bad_json") == {"bad_json": 1}
    assert await replay(settings) == {"unknown_job": 2}
    assert names(desk, await records(desk, 5)) == sorted(name for name, _ in letters)


async def test_a_limit_leaves_the_rest_for_later(settings: Settings, desk: KafkaDesk) -> None:
    kinds = ["a_kind", "b_kind"] * 3
    letters = [(str(number), kind) for number, kind in enumerate(kinds)]
    await put_aside(settings, desk, APPLICATION_SUBMITTED, letters)

    assert await replay(settings, limit=2) == {"a_kind": 2}
    assert names(desk, await records(desk, 2)) == ["0", "2"]
    assert await replay(settings, limit=2) == {"a_kind": 1, "b_kind": 1}
    assert await replay(settings) == {"b_kind": 2}
    assert names(desk, await records(desk, 6)) == [str(number) for number in range(6)]


async def test_two_replays_at_once_share_out_the_letters(
    settings: Settings, desk: KafkaDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.events.replay.ASSIGNMENT_SECONDS", 3.0)
    letters = [(str(number), "unknown_job") for number in range(60)]
    await put_aside(settings, desk, APPLICATION_SUBMITTED, letters)

    outcomes = await asyncio.gather(replay(settings), replay(settings), return_exceptions=True)
    assert all(isinstance(each, dict | ReplayInterrupted) for each in outcomes), outcomes
    await replay(settings)

    found = names(desk, await records(desk, 60))
    assert set(found) == {name for name, _ in letters}
    assert len(found) <= 61  # the one in hand when the partition went over


async def test_a_replayed_application_is_scored_once_its_cause_is_gone(
    settings: Settings, desk: KafkaDesk
) -> None:
    await desk.apply("a", "late-job")
    async with desk.worker():
        (letter,) = await desk.dead_letters(1)
        await desk.post_job("late-job")
        await desk.flush()

        assert dict(letter.headers)["scorer.error.kind"] == b"unknown_job"
        assert await replay(settings) == {"unknown_job": 1}
        assert (await desk.scores(1)).keys() == {"a"}


async def test_a_record_that_fails_again_is_a_new_letter_that_counts_its_replays(
    settings: Settings, desk: KafkaDesk
) -> None:
    await desk.apply("a", "no-job")
    async with desk.worker():
        for number in range(1, 3):
            await desk.dead_letters(number)
            assert await replay(settings) == {"unknown_job": 1}
        letters = await desk.dead_letters(3)

    assert [dict(each.headers).get("scorer.replays") for each in letters] == [None, b"1", b"2"]
    assert all(len(each.headers) == len(dict(each.headers)) for each in letters)


async def test_a_label_keeps_its_time_by_which_a_newer_one_is_known(
    settings: Settings, desk: KafkaDesk
) -> None:
    await put_aside(settings, desk, SCORE_LABELLED, [("label", "bad_json")])

    assert await replay(settings, topic=SCORE_LABELLED) == {"bad_json": 1}
    (record,) = await records(desk, 1, SCORE_LABELLED)
    assert record.timestamp < time.time() * 1000 - WEEK_MILLISECONDS / 2


@pytest.mark.parametrize("mark", ["value_omitted", "is_raw"])
async def test_what_was_too_large_or_never_decoded_is_counted_and_passed_over(
    settings: Settings, desk: KafkaDesk, mark: str
) -> None:
    omitted = (f"scorer.error.{mark}", b"true")
    await put_aside(settings, desk, APPLICATION_SUBMITTED, [("large", "field_limits")], omitted)
    await put_aside(settings, desk, APPLICATION_SUBMITTED, [("small", "field_limits")])
    waiting = await DeadLetterReplay(settings, APPLICATION_SUBMITTED).waiting()

    assert (waiting["field_limits"].num_letters, waiting["field_limits"].num_without_value) == (1, 1)
    assert await replay(settings) == {"field_limits": 1}
    assert await DeadLetterReplay(settings, APPLICATION_SUBMITTED).waiting() == {}
    assert names(desk, await records(desk, 1)) == ["small"]


async def test_the_command_counts_by_default_and_sends_when_told_to(
    settings: Settings, desk: KafkaDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_aside(
        settings, desk, APPLICATION_SUBMITTED, [("a", "bad_json"), ("b", "unknown_job"), ("c", "unknown_job")]
    )
    monkeypatch.setenv(f"{PREFIX}KAFKA_BOOTSTRAP_SERVERS", settings.kafka_bootstrap_servers)
    monkeypatch.setenv(f"{PREFIX}WORKER_GROUP", settings.worker_group)
    monkeypatch.setenv(f"{PREFIX}KAFKA_SESSION_TIMEOUT_SECONDS", "2")

    def run(*options: str) -> dict[str, int]:
        answer = CliRunner().invoke(cli, ["dead-letters", "replay", *options], catch_exceptions=False)
        lines = [line.split(maxsplit=1) for line in answer.stdout.splitlines()]
        return {kind: int(count) for count, kind in lines}

    for options in ((), ("--dry-run",)):
        assert await asyncio.to_thread(run, *options) == {"bad_json": 1, "unknown_job": 2, "in all": 3}
    sent = await asyncio.to_thread(run, "--send", "--kind", "unknown_job")
    assert sent == {"unknown_job": 2, "in all": 2}
    assert await asyncio.to_thread(run) == {"bad_json": 1, "in all": 1}
    assert names(desk, await records(desk, 2)) == ["b", "c"]


def test_an_unreadable_count_begins_anew() -> None:
    own = ("content-type", b"application/json")

    assert replayed_headers([own, ("scorer.replays", b"\xff")]) == [own, ("scorer.replays", b"1")]
    assert replayed_headers([("scorer.replays", b"4"), own]) == [own, ("scorer.replays", b"5")]
