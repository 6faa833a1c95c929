from pathlib import Path

import pytest

from tests.programs.benchmarks.__main__ import main, parse
from tests.programs.benchmarks.catalogue import BENCHMARKS, CARD_BENCHMARKS
from tests.programs.benchmarks.report.results_file import RESULTS_FILE


def test_without_a_name_all_benchmarks_of_a_suite_run() -> None:
    options = parse([])

    assert options.chosen == list(BENCHMARKS)
    assert parse(["--card"]).chosen == list(CARD_BENCHMARKS)
    assert options.results == RESULTS_FILE


def test_names_choose_in_the_catalogue_s_order() -> None:
    options = parse(["--only", "waits", "--only", "start", "--rounds", "2"])

    assert [benchmark.name for benchmark in options.chosen] == ["start", "waits"]
    assert options.rounds == 2


def test_an_unknown_name_is_told_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(["--card", "--only", "waits"])

    told = capsys.readouterr().err
    assert "no benchmark waits" in told
    assert "lora, memory, nf4, rate, switch" in told


@pytest.mark.parametrize("option", ["--rounds", "--resumes"])
def test_no_rounds_and_no_work_are_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse([option, "0"])

    assert "at least 1" in capsys.readouterr().err


def test_the_list_loads_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0

    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == [benchmark.name for benchmark in BENCHMARKS]
    assert len(set(names)) == len(names)


def test_the_table_of_no_results_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--table", "--results", str(tmp_path / "none.json")]) == 0
    assert capsys.readouterr().out.strip() == ""
