from hypothesis import given
from hypothesis import strategies as st

from services.scoring.engine.batch_planner import BatchLimits, Candidate, plan_batch
from services.scoring.reading.score_scale import NUM_TREE_NODES

LIMITS = BatchLimits(max_tokens=1000, window_seconds=1.0, max_padding=0.1)


def candidate(
    prefix: str = "job",
    suffix: int = 90,
    *,
    waited: float = 2.0,
    prefix_tokens: int = 100,
    cached: bool = True,
) -> Candidate:
    return Candidate(prefix, prefix_tokens, suffix, cached, waited)


def test_a_small_batch_waits_for_company_until_the_window_ends() -> None:
    early = plan_batch([candidate(waited=0.25)], LIMITS)
    late = plan_batch([candidate(waited=1.0)], LIMITS)

    assert early.chosen == ()
    assert early.wait_seconds == 0.75
    assert late.chosen == (0,)


def test_a_full_batch_does_not_wait() -> None:
    plan = plan_batch([candidate(waited=0.0) for _ in range(20)], LIMITS)

    assert len(plan.chosen) == LIMITS.max_tokens // (90 + NUM_TREE_NODES)


def test_the_leaders_job_comes_first() -> None:
    interleaved = [candidate(prefix=f"job {index % 4}", waited=2 - index / 100) for index in range(40)]

    plan = plan_batch(interleaved, LIMITS)

    assert {interleaved[index].prefix for index in plan.chosen} == {"job 0"}
    assert len(plan.chosen) == 10


def test_a_prefix_that_must_be_computed_takes_room_once() -> None:
    plan = plan_batch([candidate(cached=False) for _ in range(20)], LIMITS)

    assert len(plan.chosen) == (LIMITS.max_tokens - 100) // (90 + NUM_TREE_NODES)


def test_very_different_lengths_do_not_share_a_batch() -> None:
    plan = plan_batch([candidate(suffix=100, waited=3), candidate(suffix=400), candidate(suffix=105)], LIMITS)

    assert plan.chosen == (0, 2)


candidates = st.lists(
    st.builds(
        Candidate,
        prefix=st.sampled_from("abc"),
        num_prefix_tokens=st.integers(1, 600),
        num_suffix_tokens=st.integers(1, 1500),
        is_prefix_cached=st.booleans(),
        waited_seconds=st.floats(0, 3),
    ),
    min_size=1,
    max_size=30,
)


@given(candidates)
def test_every_batch_keeps_its_limits_and_serves_the_oldest(waiting: list[Candidate]) -> None:
    plan = plan_batch(waiting, LIMITS)

    if not plan.chosen:
        assert 0 < plan.wait_seconds <= LIMITS.window_seconds
        return
    chosen = [waiting[index] for index in plan.chosen]
    assert len(set(plan.chosen)) == len(chosen)
    assert max(c.waited_seconds for c in waiting) in [c.waited_seconds for c in chosen]
    longest = max(c.num_suffix_tokens for c in chosen)
    real = sum(c.num_suffix_tokens for c in chosen)
    prefixes = {c.prefix: c.num_prefix_tokens for c in chosen if not c.is_prefix_cached}
    if len(chosen) > 1:
        assert len(chosen) * longest - real <= LIMITS.max_padding * len(chosen) * longest
        # The same job may come with different lengths here; the planner counts the first it met.
        assert len(chosen) * (longest + NUM_TREE_NODES) <= LIMITS.max_tokens
        assert len(prefixes) <= 3


@given(candidates)
def test_everybody_is_served_in_the_end(waiting: list[Candidate]) -> None:
    rounds = 0
    while waiting:
        aged = [
            Candidate(c.prefix, c.num_prefix_tokens, c.num_suffix_tokens, c.is_prefix_cached, 5)
            for c in waiting
        ]
        chosen = set(plan_batch(aged, LIMITS).chosen)
        assert chosen
        waiting = [c for index, c in enumerate(waiting) if index not in chosen]
        rounds += 1
        assert rounds <= 30
