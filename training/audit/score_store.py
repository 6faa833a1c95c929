"""Scores of an audit, kept as they come, so that a run that was cut off goes on where it stood.

Only digests and numbers are kept: no text of a resume leaves the data set.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.contracts.scoring import PairRequest, PairScore

SCORES_FILE = "scores.jsonl"
# A pass of the model takes far fewer; more would only lose more work when a run is cut off.
_CHUNK = 64


class ScorePairs(Protocol):
    """Scores pairs, in the order of the requests."""

    def __call__(self, requests: Sequence[PairRequest]) -> Sequence[PairScore]: ...


@dataclass(frozen=True, slots=True)
class KeptScore:
    """What an audit needs of a score.

    Attributes:
        score: points.
        category: of it.
        low: 10th percentile, points.
        high: 90th percentile, points.
        flags: of the result.
    """

    score: float
    category: str
    low: int
    high: int
    flags: tuple[str, ...]


class ScoreStore:
    """Scores each distinct pair once, over all runs with the same model and settings.

    Args:
        folder: where ``SCORES_FILE`` lies or will lie.
        model_key: names everything beside the texts that a score depends on.
        score_pairs: scores what is not there yet.
    """

    def __init__(self, folder: Path, model_key: str, score_pairs: ScorePairs) -> None:
        self._path = folder / SCORES_FILE
        self._model_key = model_key
        self._score_pairs = score_pairs
        self._is_cut_off = False
        self._kept = self._read()

    def score(
        self, pairs: Sequence[tuple[str, str]], on_scored: Callable[[int], None] = lambda _: None
    ) -> list[KeptScore]:
        """Returns the scores of pairs, in order.

        Args:
            pairs: job description and resume of each.
            on_scored: told how many more pairs have their score.

        Raises:
            InvalidInput: a text is empty or a job too long.
            OSError: the file cannot be written.
        """
        keys = [self._key(*pair) for pair in pairs]
        missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in self._kept}
        on_scored(len(pairs) - len(missing))
        # Pairs of one job side by side: the job's part is then computed once for all of them.
        waiting = sorted(missing.items(), key=lambda entry: entry[1])
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" if self._is_cut_off else "")
            for start in range(0, len(waiting), _CHUNK):
                chunk = waiting[start : start + _CHUNK]
                scored = self._score_pairs([PairRequest(key, job, resume) for key, (job, resume) in chunk])
                for (key, _), result in zip(chunk, scored, strict=True):
                    self._kept[key] = _kept(result)
                    file.write(json.dumps([key, *_fields(self._kept[key])]) + "\n")
                file.flush()
                on_scored(len(chunk))
        self._is_cut_off = False
        return [self._kept[key] for key in keys]

    def _key(self, job_description: str, resume: str) -> str:
        digest = hashlib.sha256()
        for part in (self._model_key, job_description, resume):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()

    def _read(self) -> dict[str, KeptScore]:
        kept = {}
        text = self._path.read_text("utf-8") if self._path.exists() else ""
        self._is_cut_off = bool(text) and not text.endswith("\n")
        for line in text.splitlines():
            try:
                key, score, category, low, high, flags = json.loads(line)
            except ValueError:  # the last line of a run that was cut off
                continue
            kept[key] = KeptScore(score, category, low, high, tuple(flags))
        return kept


def _kept(result: PairScore) -> KeptScore:
    return KeptScore(
        result.score,
        result.category,
        result.distribution.percentile(10),
        result.distribution.percentile(90),
        result.flags,
    )


def _fields(kept: KeptScore) -> tuple[float, str, int, int, tuple[str, ...]]:
    return kept.score, kept.category, kept.low, kept.high, kept.flags
