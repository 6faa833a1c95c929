from services.scoring_worker.waiting_room import WaitingRoom
from services.service_kit.event_codec import SourceRecord


def record(offset: int, size: int = 1) -> SourceRecord:
    return SourceRecord("applications", 0, offset, b"k", b"v" * size)


def test_a_posted_job_releases_its_own_applications_in_order() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=10)
    for offset, job in enumerate(["a", "b", "a"]):
        room.enter(record(offset), job, now=0)

    released = room.release("a")

    assert [each.offset for each in released] == [0, 2]
    assert len(room) == 1
    assert room.release("a") == []


def test_applications_leave_when_their_time_is_over() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=10)
    room.enter(record(0), "a", now=0)
    room.enter(record(1), "a", now=5)

    assert [each.offset for each in room.expire(now=10)] == [0]
    assert [each.offset for each in room.expire(now=14.9)] == []
    assert [each.offset for each in room.release("a")] == [1]


def test_a_full_room_turns_away_whoever_waits_longest() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=2, max_bytes=100)
    room.enter(record(0), "a", now=0)
    room.enter(record(1), "b", now=0)

    assert [each.offset for each in room.enter(record(2), "c", now=0)] == [0]
    assert [each.offset for each in room.enter(record(3, size=99), "d", now=0)] == [1]
    assert len(room) == 2


def test_applications_of_a_lost_partition_are_forgotten() -> None:
    room = WaitingRoom(wait_seconds=10, max_waiting=10)
    room.enter(record(0), "a", now=0)

    room.discard(lambda each: each.partition == 0)

    assert len(room) == 0
    assert (0, 0) not in room
    assert room.expire(now=100) == []
