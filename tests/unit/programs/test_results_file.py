from datetime import date
from pathlib import Path

from tests.programs.benchmarks.report.figures import Figure, Outcome
from tests.programs.benchmarks.report.results_file import Entry, add, entry_of, figures_of, load, merged
from tests.programs.benchmarks.report.table import markdown

MACHINE = {"processor": "A processor", "cores": "2", "torch": "2.0"}
FIGURE = Figure("engine / llama.cpp", 2.714, 2.5, 3.0, "x", at_least=2.5)


def entry(*figures: Figure, note: str = "") -> Entry:
    return entry_of(Outcome(figures or (FIGURE,), note, {"k": [1]}), date(2026, 1, 2), MACHINE, 3)


def test_figures_come_back_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "results" / "benchmarks.json"

    add(file, "llama-cpp", "gemma, cpu", entry())

    written = load(file)["llama-cpp"]["gemma, cpu"]
    assert figures_of(written) == [FIGURE]
    assert written == entry()
    assert [found.name for found in file.parent.iterdir()] == [file.name]


def test_a_missing_file_has_no_results(tmp_path: Path) -> None:
    assert load(tmp_path / "benchmarks.json") == {}


def test_a_run_replaces_its_own_entry_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.json"
    better = Figure("engine / llama.cpp", 3.0, 3.0, 3.0, "x", at_least=2.5)
    for name, variant in (("lora", "gemma, cuda"), ("lora", "gemma, cpu"), ("growth", "tiny, cpu")):
        add(file, name, variant, entry())

    add(file, "lora", "gemma, cpu", entry(better))

    results = load(file)
    assert [(name, list(variants)) for name, variants in results.items()] == [
        ("growth", ["tiny, cpu"]),
        ("lora", ["gemma, cpu", "gemma, cuda"]),
    ]
    assert figures_of(results["lora"]["gemma, cpu"]) == [better]
    assert figures_of(results["lora"]["gemma, cuda"]) == [FIGURE]


def test_merging_leaves_what_it_was_given_alone() -> None:
    before = {"lora": {"gemma, cpu": entry()}}

    merged(before, "lora", "gemma, cuda", entry())

    assert list(before["lora"]) == ["gemma, cpu"]


def test_the_table_has_one_part_for_each_model_and_machine() -> None:
    missed = Figure("peak", 1234.5, 0.5, 2000.0, "GiB", at_most=1000)
    results = {
        "llama-cpp": {"gemma, cpu": entry(note="two digits")},
        "memory": {"gemma, cuda": entry(missed, Figure("other", 0.0123, 0.01, 12.34, "s"))},
    }

    text = markdown(results)

    assert text.splitlines()[0] == "**gemma, cpu; A processor, 2 cores, torch 2.0**"
    assert (
        "| llama-cpp | engine / llama.cpp | 2.71 x | 2.50 to 3 | at least 2.50 | yes | 2026-01-02 |" in text
    )
    assert "- llama-cpp: two digits" in text
    assert "| memory | peak | 1,234 GiB | 0.500 to 2,000 | at most 1,000 | **no** | 2026-01-02 |" in text
    assert "| memory | other | 0.012 s | 0.010 to 12.3 |  |  | 2026-01-02 |" in text
    assert text.count("| benchmark | figure |") == 2


def test_no_results_make_no_table() -> None:
    assert markdown({}) == ""
