import torch
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.engine.prefix_cache import PrefixCache, PrefixKey
from services.scoring.model.prefix_state import PrefixState

BYTES_PER_TOKEN = 2 * 4  # keys and values of one float32 each


def state_of(num_tokens: int) -> PrefixState:
    part = torch.zeros(1, 1, num_tokens, 1)
    return PrefixState(((part, part.clone()),))


def key_of(name: int, digest: str = "a") -> PrefixKey:
    return PrefixKey(digest, "1", bytes([name]))


def test_the_least_recently_used_goes_first() -> None:
    cache = PrefixCache(max_bytes=2 * 10 * BYTES_PER_TOKEN)
    cache.keep(key_of(1), state_of(10))
    cache.keep(key_of(2), state_of(10))
    cache.find(key_of(1))

    cache.keep(key_of(3), state_of(10))

    assert [name for name in (1, 2, 3) if key_of(name) in cache] == [1, 3]


def test_another_adapter_never_finds_the_state() -> None:
    cache = PrefixCache(max_bytes=1000)
    cache.keep(key_of(1, "a"), state_of(1))

    assert cache.find(key_of(1, "b")) is None
    other = state_of(1)
    cache.keep(key_of(1, "b"), other)
    assert cache.find(key_of(1, "b")) is other


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 12))), st.integers(0, 30))
def test_the_bound_holds_whatever_is_kept(kept: list[tuple[int, int]], max_tokens: int) -> None:
    cache = PrefixCache(max_bytes=max_tokens * BYTES_PER_TOKEN)

    for name, num_tokens in kept:
        cache.keep(key_of(name), state_of(num_tokens))

        held = [cache.find(key_of(other)) for other in range(10)]
        assert cache.num_bytes == sum(state.num_bytes for state in held if state is not None)
        assert cache.num_bytes <= max_tokens * BYTES_PER_TOKEN
        assert (key_of(name) in cache) == (num_tokens <= max_tokens)
