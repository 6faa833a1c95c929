"""The worker between real topics, with a fake model."""

import asyncio
import json
from collections import Counter

import pytest

from services.contracts.errors import EngineOverloaded, ScoringFailed, TextsUnreadable
from services.contracts.scoring import PairRequest
from services.contracts.topics import APPLICATION_SCORED, APPLICATION_SUBMITTED, JOB_POSTED
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted
from services.process.settings import Settings
from tests.doubles.kafka_desk import JOB_DEAD_LETTERS, KafkaDesk, kind_of
from tests.doubles.scorer import FakeScorer, fake_score


async def test_applications_of_a_posted_an_inline_and_a_late_job_are_scored(desk: KafkaDesk) -> None:
    await desk.post_job("a", "Old words")
    await desk.post_job("a", "New words")
    await desk.apply("posted", "a")
    await desk.apply("inline", "nobody-posted-this", job={"title": "", "description": "Inline words"})
    await desk.apply("early", "late")
    await desk.flush()

    async with desk.worker() as metrics:
        await desk.scores(2)
        await desk.post_job("late", "Late words")
        scores = await desk.scores(3)

    expected = {
        "posted": "Engineer\n\nNew words",
        "inline": "Inline words",
        "early": "Engineer\n\nLate words",
    }
    for name, job in expected.items():
        assert scores[name]["score"] == fake_score(PairRequest("", job, "Knows Kafka")).score
        assert scores[name]["application_id"] == desk.name(name)
    assert scores["early"]["job_id"] == desk.name("late")
    ok = {"entrypoint": "kafka", "outcome": "ok"}
    assert (metrics.registry.get_sample_value("scoring_requests_total", ok) or 0) >= 3


async def test_an_application_sent_twice_gives_the_same_score_twice(desk: KafkaDesk) -> None:
    await desk.post_job("a")
    await desk.apply("twice", "a")
    await desk.apply("twice", "a")
    await desk.flush()

    async with desk.worker():
        records = await desk.read(APPLICATION_SCORED, lambda found: len(found) >= 2)

    first, second = (json.loads(record.value) for record in records)
    assert first["source"] != second["source"]
    assert first | {"source": None} == second | {"source": None}


async def test_bad_records_among_good_ones_are_put_aside_untouched(desk: KafkaDesk) -> None:
    await desk.post_job("a")
    bad = _bad_applications(desk)
    num_bad, num_good = 50, 60
    sent: list[tuple[bytes | None, str]] = []
    for number in range(num_bad):
        value, headers, kind = bad[number % len(bad)]
        await desk.apply(f"good-{number}", "a")
        await desk.send(APPLICATION_SUBMITTED, "a", value, [("trace", b"%d" % number), *headers])
        sent.append((value, kind))
    for number in range(num_bad, num_good):
        await desk.apply(f"good-{number}", "a")
    await desk.flush()

    async with desk.worker() as metrics:
        scores = await desk.scores(num_good)
        letters = await desk.dead_letters(num_bad)

    assert len(scores) == num_good
    assert len(letters) == num_bad
    for letter in letters:
        headers = dict(letter.headers)
        value, kind = sent[int(headers["trace"])]
        assert letter.value == value
        assert headers["scorer.error.kind"].decode() == kind
        assert headers["scorer.error.topic"].decode() == APPLICATION_SUBMITTED
        assert b"Ada" not in headers["scorer.error.message"]
    counted = metrics.registry.get_sample_value("scoring_dead_letters_total", {"error_kind": "wrong_type"})
    assert counted is not None
    assert counted >= Counter(kind for _, kind in sent)["wrong_type"]


@pytest.mark.parametrize("is_strict", [False, True])
async def test_fields_of_tomorrow_are_read_past_unless_strictness_is_asked_for(
    settings: Settings, desk: KafkaDesk, is_strict: bool
) -> None:
    desk.settings = settings.model_copy(update={"strict_fields": is_strict})
    await desk.post_job("a", salary={"from": 1})
    binary = ApplicationSubmitted(application_id=desk.name("binary"), job_id=desk.name("a"), resume="Knows")
    unknown = binary.SerializeToString() + b"\xfa\x3f\x00"
    await desk.send(APPLICATION_SUBMITTED, "a", unknown, [("content-type", b"application/x-protobuf")])
    await desk.apply("json", "a", job={"description": "Inline", "city": "Ghent"})
    await desk.flush()

    async with desk.worker() as metrics:
        if is_strict:
            letters = await desk.dead_letters(2)
            assert {kind_of(letter) for letter in letters} == {"unknown_field"}
            reasons = {dict(letter.headers)["scorer.error.message"] for letter in letters}
            assert reasons == {
                b"job.city: is unknown to this version",
                b"(number 1023): is unknown to this version",
            }
        else:
            assert set(await desk.scores(2)) == {"binary", "json"}
            counted = metrics.registry.get_sample_value
            assert counted("scoring_unknown_fields_total", {"topic": APPLICATION_SUBMITTED}) == 2
            assert counted("scoring_unknown_fields_total", {"topic": JOB_POSTED}) == 1


async def test_a_flood_of_applications_without_jobs_displaces_itself_and_not_honest_ones(
    desk: KafkaDesk,
) -> None:
    for number in range(3):
        await desk.apply(f"honest-{number}", "late")
    await desk.flush()
    for number in range(60):
        await desk.apply(f"flood-{number}", f"nowhere-{number}")
    await desk.flush()

    async with desk.worker(worker_max_waiting=40, worker_job_wait_seconds=4.0):
        full = await desk.dead_letters(23)
        await desk.post_job("late")
        scores = await desk.scores(3)
        letters = await desk.dead_letters(60)

    assert set(scores) == {"honest-0", "honest-1", "honest-2"}
    assert {kind_of(letter) for letter in full} == {"waiting_room_full"}
    assert Counter(map(kind_of, letters)) == {"waiting_room_full": 23, "unknown_job": 37}


async def test_failures_of_the_model_are_retried_and_then_put_aside(desk: KafkaDesk) -> None:
    scorer = FakeScorer()
    scorer.failures = {"doomed": ScoringFailed("no"), "unlucky": EngineOverloaded(0.01)}
    await desk.post_job("a")
    await desk.apply("doomed", "a", "doomed")
    await desk.apply("unlucky", "a", "unlucky")
    await desk.flush()

    async with desk.worker(scorer):
        (letter,) = await desk.dead_letters(1)
        del scorer.failures["unlucky"]
        scores = await desk.scores(1)

    assert kind_of(letter) == "scoring_failed"
    assert dict(letter.headers)["scorer.error.attempts"] == b"3"
    assert list(scores) == ["unlucky"]


async def test_texts_that_meet_a_bug_are_put_aside_at_once_and_the_letter_says_so(desk: KafkaDesk) -> None:
    scorer = FakeScorer()
    scorer.failures = {"doomed": TextsUnreadable("the texts could not be read (KeyError)")}
    await desk.post_job("a")
    await desk.apply("doomed", "a", "doomed")
    await desk.flush()

    async with desk.worker(scorer):
        (letter,) = await desk.dead_letters(1)

    headers = dict(letter.headers)
    assert kind_of(letter) == "scoring_failed"
    assert headers["scorer.error.message"] == b"reading this application's texts failed"
    assert headers["scorer.error.attempts"] == b"1"


async def test_an_application_for_a_deleted_job_is_put_aside_after_the_wait(desk: KafkaDesk) -> None:
    await desk.post_job("gone")
    await desk.delete_job("gone")
    await desk.flush()
    await desk.apply("orphan", "gone")
    await desk.flush()

    async with desk.worker():
        (letter,) = await desk.dead_letters(1)

    assert kind_of(letter) == "unknown_job"


async def test_a_restarted_worker_goes_on_where_it_stopped_and_knows_every_job(desk: KafkaDesk) -> None:
    num_jobs = 45
    for number in range(num_jobs):  # in one batch, whose end the development broker reports too low
        await desk.post_job(f"job-{number}")
    await desk.send(JOB_POSTED, "broken", b"{")
    for number in range(num_jobs):
        await desk.apply(f"first-{number}", f"job-{number}")
    await desk.flush()

    async with desk.worker() as metrics:
        await desk.scores(num_jobs)
        await desk.dead_letters(1, JOB_DEAD_LETTERS)
        # On a broker that others used, one that waits for its job holds back what may be committed.
        while metrics.registry.get_sample_value("scoring_waiting_applications"):
            await asyncio.sleep(0.1)
    again = FakeScorer()
    for number in range(num_jobs):
        await desk.apply(f"second-{number}", f"job-{number}")
    await desk.flush()
    async with desk.worker(again):
        await desk.scores(2 * num_jobs)
        letters = await desk.dead_letters(1, JOB_DEAD_LETTERS)

    # Nothing that the first worker committed came again, and the broken job was put aside once.
    assert sorted(again.scored) == sorted(desk.name(f"second-{number}") for number in range(num_jobs))
    assert [kind_of(letter) for letter in letters] == ["bad_json"]


def _bad_applications(desk: KafkaDesk) -> list[tuple[bytes | None, list[tuple[str, bytes]], str]]:
    binary = [("content-type", b"application/x-protobuf")]
    return [
        (b"{", [], "bad_json"),
        (None, [], "bad_json"),
        (b"[1]", [], "wrong_type"),
        (b"\xff\xfe", [], "bad_encoding"),
        (b"\x08", binary, "bad_encoding"),
        (b"\x00\x00\x00\x00\x07{}", [], "bad_encoding"),
        (b"{}", [("content-type", b"application/avro")], "bad_encoding"),
        (desk.application("x", "a", "   "), [], "field_limits"),
        (desk.application("x", "a", "Ada" * 100_000), [], "field_limits"),
        (desk.application("x y", "a"), [], "field_limits"),
        (desk.application("x", "a", job="Ada"), [], "wrong_type"),
        (desk.application("x", "a", 5), [], "wrong_type"),
        (b'{"job_id": "x", "job_id": "y", "resume": "Ada"}', [], "wrong_type"),
        (b"[" * 100_000, [], "bad_json"),
    ]
