from tests.programs.benchmarks.engine.growth import CACHE_BYTES, outcome, resident_bytes


def found(**changes: object) -> dict[str, object]:
    return {
        "pairs_per_second": {"100": [100.0, 110.0], "1000": [101.0, 99.0], "10000": [98.0, 99.0]},
        "resident_bytes": [[1000, 1005, 1010], [1010, 1010, 1010]],
        "cache_bytes": CACHE_BYTES // 2,
        **changes,
    }


def figures(**changes: object) -> dict[str, float]:
    return {figure.what: figure.median for figure in outcome(found(**changes)).figures}


def test_sizes_are_compared_round_by_round() -> None:
    assert figures()["10,000 / 100 applications"] == (0.98 + 0.9) / 2


def test_memory_is_compared_with_the_first_slice_of_the_same_run() -> None:
    assert abs(figures()["resident memory from 1,000 to 10,000 applications"] - 0.5) < 1e-9


def test_a_cache_over_its_bound_is_a_missed_mark() -> None:
    *_, cache = outcome(found(cache_bytes=CACHE_BYTES + 1)).figures
    assert cache.is_met is False
    assert figures()["prefix cache of its bound"] == 50


def test_this_process_has_memory() -> None:
    assert resident_bytes() > 10 * 1024**2
