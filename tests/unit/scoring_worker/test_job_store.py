from services.events.wire.job_records import PostedJob, Standing
from services.scoring_worker.job_store import JobStore, KnownJob


def posted(text: str, version: int | None = None, offset: int = 0) -> PostedJob:
    return PostedJob("a", text, Standing(version=version, partition=1, offset=offset))


def deleted(offset: int) -> PostedJob:
    return PostedJob("a", None, Standing(is_deleted=True, partition=1, offset=offset))


def test_the_store_keeps_the_newest_posting_of_each_job() -> None:
    store = JobStore()

    assert store.apply([posted("old"), posted("new")]) == 0

    assert store.find("a") == KnownJob("new")
    assert store.find("b") is None
    assert len(store) == 1
    store.close()


def test_an_older_version_changes_nothing_and_is_counted() -> None:
    store = JobStore()

    assert store.apply([posted("new", 2, 1), posted("old", 1, 2), posted("none", None, 3)]) == 2

    assert store.find("a") == KnownJob("new", 2)
    store.close()


def test_a_deleted_job_is_not_brought_back_by_what_stood_before_the_deletion() -> None:
    store = JobStore()

    store.apply([posted("new", 2, 1), deleted(3), posted("old", 1, 2)])
    assert (store.find("a"), len(store)) == (None, 0)

    store.apply([posted("anew", 1, 4), deleted(3)])
    assert (store.find("a"), len(store)) == (KnownJob("anew", 1), 1)
    store.close()


def test_offsets_of_another_broker_are_not_compared() -> None:
    store = JobStore()
    store.apply([posted("before", None, 50)])

    store.forget_positions()
    store.apply([posted("after", None, 0)])

    assert store.find("a") == KnownJob("after")
    store.close()


def test_reading_everything_again_changes_nothing() -> None:
    records = [posted("one", 2, 0), deleted(1), posted("two", 1, 2), posted("three", 1, 3)]
    store = JobStore()
    store.apply(records)

    store.forget_positions()
    store.apply(records)

    assert (store.find("a"), len(store)) == (KnownJob("three", 1), 1)
    store.close()
