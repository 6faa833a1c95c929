"""Scores kept as they come, so that an audit or an evaluation that was cut off goes on where it stood.

Only digests and numbers are kept: no text of a resume leaves the data set.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.contracts.scoring import PairRequest, PairScore, ScoreDistribution, category_of

SCORES_FILE = "scores.jsonl"
# A pass of the model takes far fewer; more would only lose more work when a run is cut off.
_CHUNK = 64


class ScorePairs(Protocol):
    """Scores pairs, in the order of the requests."""

    def __call__(self, requests: Sequence[PairRequest]) -> Sequence[PairScore]: ...


@dataclass(frozen=True, slots=True)
class KeptScore:
    """What an audit or an evaluation needs of a score.

    Attributes:
        distribution: of the score.
        flags: of the result.
    """

    distribution: ScoreDistribution
    flags: tuple[str, ...]

    @property
    def score(self) -> float:
        """Returns the mean of the distribution, in points."""
        return self.distribution.mean

    @property
    def category(self) -> str:
        """Returns the category of the mean."""
        return category_of(self.score)


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
        self,
        pairs: Sequence[tuple[str, str]],
        on_scored: Callable[[int], None] = lambda _: None,
        names: Sequence[str] | None = None,
    ) -> list[KeptScore]:
        """Returns the scores of pairs, in order.

        Args:
            pairs: job description and resume of each.
            on_scored: told how many more pairs have their score.
            names: of the pairs, for errors; None: what ``score_pairs`` is asked for is named by its digest.

        Raises:
            InvalidInput: a text is empty; what was scored before is kept.
            OSError: the file cannot be written.
        """
        keys = [self._key(*pair) for pair in pairs]
        name_of = dict(zip(keys, names or keys, strict=True))
        missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in self._kept}
        on_scored(len(pairs) - len(missing))
        # Pairs of one job side by side: the job's part is then computed once for all of them.
        waiting = sorted(missing.items(), key=lambda entry: entry[1])
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" if self._is_cut_off else "")
            for start in range(0, len(waiting), _CHUNK):
                chunk = waiting[start : start + _CHUNK]
                requests = [PairRequest(name_of[key], job, resume) for key, (job, resume) in chunk]
                for (key, _), result in zip(chunk, self._score_pairs(requests), strict=True):
                    self._kept[key] = KeptScore(result.distribution, result.flags)
                    file.write(json.dumps([key, result.distribution.probabilities, result.flags]) + "\n")
                file.flush()
                on_scored(len(chunk))
        self._is_cut_off = False
        return [self._kept[key] for key in keys]

    def count_missing(self, pairs: Sequence[tuple[str, str]]) -> int:
        """Returns how many distinct pairs have no score yet."""
        return len({self._key(*pair) for pair in pairs} - self._kept.keys())

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
                key, probabilities, flags = json.loads(line)
            except ValueError:  # the last line of a run that was cut off, or of an older version
                continue
            kept[key] = KeptScore(ScoreDistribution(tuple(probabilities)), tuple(flags))
        return kept
