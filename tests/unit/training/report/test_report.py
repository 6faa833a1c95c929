"""The report of an evaluation: whole, self-contained, and without a word of the pairs."""

import dataclasses
import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.contracts.errors import AdapterIncompatible
from services.contracts.scoring import NUM_SCORES, ScoreDistribution, category_of
from training.figures.baselines import compare, tfidf_similarities
from training.figures.evaluation import evaluate
from training.figures.scored_pairs import ScoredPairs
from training.pairs.dataset import LabelledPair, Pair
from training.report.evaluation_report import ReportSubject, write_report
from training.report.figure_texts import FIGURE_TEXTS
from training.report.loss_curves import TrainingStep, read_history
from training.report.plots import PLOT_FILES

SUBJECT = ReportSubject(
    base_model="tiny-gemma",
    adapter_digest="a" * 64,
    adapter_version="2.1 <beta>",
    prompt_version="7",
    data_digest="d" * 64,
    evaluated=datetime(2025, 3, 1, 12, 30, tzinfo=UTC),
)
HISTORY = (TrainingStep(step=1, loss=2.0), TrainingStep(step=2, loss=1.5, eval_loss=1.7))


def scored_pairs(labels: list[float]) -> ScoredPairs:
    """Pairs whose scores lie between their labels and the middle."""
    pairs = [
        Pair(row, f"Zanzibar Quill number{row} quill@mail.test", f"Vacancy for welders {row % 2}", {})
        for row in range(3, 3 + len(labels))
    ]
    return ScoredPairs(
        [LabelledPair(pair, label, category_of(label)) for pair, label in zip(pairs, labels, strict=True)],
        [bell(50 + 0.5 * (label - 50)) for label in labels],
    )


def bell(mean: float) -> ScoreDistribution:
    weights = np.exp(-0.5 * ((np.arange(NUM_SCORES) - mean) / 10) ** 2)
    return ScoreDistribution(tuple((weights / weights.sum()).tolist()))


LABELS = [95.0, 20.0, 70.0, 50.0, 5.0, 90.0, 30.0, 66.0, 80.0, 10.0, 40.0, 100.0]
PAIRS = scored_pairs(LABELS)


class Page(HTMLParser):
    """Collects tags with their attributes, and the text of each table's rows."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data

    def row(self, heading: str) -> list[str]:
        """Returns the cells beside a row's heading."""
        return next(cells[1:] for cells in self.rows if cells and cells[0] == heading)


def report(folder: Path, pairs: ScoredPairs = PAIRS, subject: ReportSubject = SUBJECT) -> Page:
    return Page(write_report(folder, pairs, evaluate(pairs.labels, pairs.distributions), subject))


@dataclasses.dataclass(frozen=True)
class Written:
    """A report on disk; ``text`` is its page as it stands there."""

    folder: Path
    page: Page

    @property
    def text(self) -> str:
        return (self.folder / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The report of ``PAIRS`` and ``SUBJECT``, which tests only read."""
    folder = tmp_path_factory.mktemp("written")
    return Written(folder, report(folder))


def test_the_page_needs_nothing_but_itself(written: Written) -> None:
    attributes = [item for _, each in written.page.tags for item in each.items()]
    addresses = [value for name, value in attributes if name in ("src", "href")]
    assert len(addresses) == 6
    assert all(address and address.startswith("data:image/png;base64,") for address in addresses)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in written.page.tags}
    assert not re.search(r"https?://|url\(|@import", written.text)


def test_every_picture_opens_says_what_it_shows_and_lies_beside_the_page(tmp_path: Path) -> None:
    page = report(tmp_path, subject=dataclasses.replace(SUBJECT, history=HISTORY))

    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*PLOT_FILES, "report.html"])
    for name, picture in zip(PLOT_FILES, pictures, strict=True):
        embedded = b64decode(str(picture["src"]).partition(",")[2])
        assert embedded == (tmp_path / name).read_bytes()
        assert Image.open(BytesIO(embedded)).size == (960, 720)
        assert len(np.unique(np.asarray(Image.open(BytesIO(embedded)).convert("L")))) > 10
        assert len(str(picture["alt"])) > 40


def test_no_word_of_a_pair_is_in_the_report(written: Written) -> None:
    # Without the pictures: in so much base64 a short word may well come up by chance.
    text = re.sub(r"base64,[^\"]+", "", written.text).lower()
    for word in ("zanzibar", "quill", "mail.test", "vacancy", "welders", "number4"):
        assert word not in text


def test_the_same_evaluation_gives_the_same_bytes(written: Written, tmp_path: Path) -> None:
    report(tmp_path)

    for path in written.folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_what_was_evaluated_is_named_and_escaped(written: Written) -> None:
    for part in ("tiny-gemma", "a" * 64, "2.1 &lt;beta&gt;", "d" * 64, "2025-03-01 12:30 UTC", "<dd>12</dd>"):
        assert part in written.text


def test_the_base_model_alone_is_told_in_words(tmp_path: Path) -> None:
    report(tmp_path, subject=dataclasses.replace(SUBJECT, adapter_digest="base", adapter_version=""))

    assert "none, the base model alone" in (tmp_path / "report.html").read_text("utf-8")


def test_every_figure_stands_with_its_value_and_its_meaning(written: Written) -> None:
    figures = evaluate(PAIRS.labels, PAIRS.distributions)
    fields = {field.name for field in dataclasses.fields(figures)} - {"confusion", "calibration"}
    assert {text.field for text in FIGURE_TEXTS} == fields
    assert written.page.row("Mean absolute error")[:2] == [f"{figures.mae:.3f}", "points"]
    assert written.page.row("Jobs with good and poor pairs")[0] == "2"


def test_figures_that_the_pairs_do_not_determine_are_dashes(tmp_path: Path) -> None:
    page = report(tmp_path, scored_pairs([70.0]))

    for title in ("Linear correlation", "Rank correlation", "Area under the ROC curve"):
        assert page.row(title)[0] == "-"
    assert page.row("TF-IDF cosine") == ["-"] * 5
    assert not (tmp_path / "roc.png").exists()
    assert "No ROC curve" in (tmp_path / "report.html").read_text("utf-8")


def test_the_ten_largest_errors_are_named_by_their_row(written: Written) -> None:
    start = next(at for at, cells in enumerate(written.page.rows) if cells[0] == "Row")
    worst = written.page.rows[start + 1 :]
    assert len(worst) == 10
    assert worst[0][:2] == ["14", "100"]
    assert float(worst[0][3]) == pytest.approx(-25, abs=0.2)
    assert float(worst[0][4]) == pytest.approx(10, abs=0.5)
    assert {cells[0] for cells in worst}.isdisjoint({"6", "13"})  # labels 50 and 40: the smallest errors


def test_losses_are_drawn_only_where_there_is_a_history(written: Written, tmp_path: Path) -> None:
    report(tmp_path / "with", subject=dataclasses.replace(SUBJECT, history=HISTORY))
    nothing_measured = (TrainingStep(step=1, learning_rate=0.1),)
    report(tmp_path / "empty", subject=dataclasses.replace(SUBJECT, history=nothing_measured))

    folders = {"without": written.folder, "with": tmp_path / "with", "empty": tmp_path / "empty"}
    drawn = {name: (folder / "losses.png").exists() for name, folder in folders.items()}
    assert drawn == {"without": False, "with": True, "empty": False}


def test_a_second_report_replaces_the_first_and_leaves_other_files_alone(tmp_path: Path) -> None:
    report(tmp_path, subject=dataclasses.replace(SUBJECT, history=HISTORY))
    (tmp_path / "notes.txt").write_text("mine")
    first = (tmp_path / "scatter.png").read_bytes()

    report(tmp_path, scored_pairs(LABELS[:5]))

    assert (tmp_path / "scatter.png").read_bytes() != first
    assert "<dd>5</dd>" in (tmp_path / "report.html").read_text("utf-8")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "losses.png").exists()  # of the first adapter
    assert len(list(tmp_path.iterdir())) == 8


def test_baselines_are_those_counted_by_hand() -> None:
    texts = [("welder", "welder", 90.0), ("welder", "cook", 30.0), ("cook", "cook", 60.0)]
    labels = [LabelledPair(Pair(1, resume, job, {}), score, "good") for job, resume, score in texts]
    pairs = ScoredPairs(labels, [bell(50)] * 3)

    similarities = tfidf_similarities(labels)
    model, tfidf, mean = compare(pairs, evaluate(labels, pairs.distributions), similarities)

    assert similarities.tolist() == pytest.approx([1.0, 0.0, 1.0])
    assert (tfidf.roc_auc, tfidf.within_job_auc, tfidf.mae) == (1.0, 1.0, None)
    assert tfidf.spearman == pytest.approx(0.8660254)
    assert (mean.mae, mean.rmse) == (pytest.approx(20.0), pytest.approx(600**0.5))
    assert (mean.roc_auc, mean.spearman) == (None, None)
    assert model.mae == pytest.approx((40 + 20 + 10) / 3, abs=0.1)


def test_texts_without_words_are_similar_to_nothing() -> None:
    labels = [LabelledPair(Pair(1, "???", "!!!", {}), 50.0, "fair")] * 2

    assert tfidf_similarities(labels).tolist() == [0.0, 0.0]


def test_a_history_is_read_in_the_order_of_its_steps(tmp_path: Path) -> None:
    entries = [{"step": 20, "eval_loss": 1.5}, {"step": 10, "loss": 2.0, "learning_rate": 1e-4}]
    (tmp_path / "training_metadata.json").write_text(json.dumps({"history": entries}))

    assert read_history(tmp_path) == [
        TrainingStep(step=10, loss=2.0, learning_rate=1e-4),
        TrainingStep(step=20, eval_loss=1.5),
    ]


def test_an_adapter_without_history_has_none(tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "training_metadata.json").write_text("{}")

    assert read_history(None) == read_history(tmp_path) == read_history(tmp_path / "older") == []


@pytest.mark.parametrize("content", ["{", "[]", '{"history": [{"loss": 1}]}', '{"history": [{"step": NaN}]}'])
def test_a_damaged_history_is_an_error_that_names_the_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "training_metadata.json").write_text(content)

    with pytest.raises(AdapterIncompatible, match=r"training_metadata\.json has no readable history"):
        read_history(tmp_path)
