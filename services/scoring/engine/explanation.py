"""Explanation text, written token by token between two batches, so that it never holds scores up."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.contracts.errors import ScorerError, ScoringFailed
from services.contracts.scoring import PairScore
from services.scoring.engine.batch_scorer import BatchScorer, LoadedAdapter
from services.scoring.model.device_errors import PASS_ERRORS, raise_if_device_is_lost
from services.scoring.model.prefix_state import PrefixState
from services.scoring.model.score_model import ScoreModel
from services.scoring.reading.prompt import Prompt
from services.scoring.reading.text_encoder import TextEncoder


@dataclass(slots=True, eq=False)
class ExplanationTask:
    """One explanation to write.

    Attributes:
        prompt: of the pair.
        score: the pair's score, which the text continues.
        max_tokens: longest text.
        pieces: what has been written: text, then None at the end or the error that ended it.
        is_abandoned: set when the reader has left.
    """

    prompt: Prompt
    score: PairScore
    max_tokens: int
    pieces: "queue.SimpleQueue[str | Exception | None]" = field(default_factory=queue.SimpleQueue)
    is_abandoned: bool = False


def write_explanation(
    task: ExplanationTask,
    prefix: PrefixState,
    model: ScoreModel,
    encoder: TextEncoder,
    before_explanation: tuple[int, ...],
) -> Iterator[str]:
    """Yields the text of an explanation piece by piece, one forward pass each (greedy decoding).

    Args:
        prefix: state of the pair's job part.
        model: computes the next token.
        before_explanation: what stands between score and explanation, as tokens.
    """
    stops = {encoder.token_id(token) for token in encoder.turns.stops}
    answer = encoder.encode_template(str(round(task.score.score)))
    token, cache = model.continue_greedily([*task.prompt.suffix, *answer, *before_explanation], prefix)
    written: list[int] = []
    shown = ""
    while token not in stops and len(written) < task.max_tokens:
        written.append(token)
        text = encoder.decode(written)
        # A character may take several tokens; until it is whole it decodes to U+FFFD.
        if not text.endswith("\ufffd"):
            yield text[len(shown) :]
            shown = text
        token, cache = model.continue_greedily([token], cache)


@dataclass(frozen=True, slots=True, eq=False)
class _RunningExplanation:
    task: ExplanationTask
    pieces: Iterator[str]
    adapter: LoadedAdapter


class ExplanationWriter:
    """Writes all explanations under way, one piece of each at a time; ``advance`` is the model thread's.

    Args:
        scorer: knows the prefixes and the model.
        before_explanation: what stands between score and explanation, as tokens.
    """

    def __init__(
        self, scorer: BatchScorer, encoder: TextEncoder, before_explanation: tuple[int, ...]
    ) -> None:
        self._scorer = scorer
        self._encoder = encoder
        self._before_explanation = before_explanation
        self._new: list[ExplanationTask] = []
        self._running: list[_RunningExplanation] = []

    @property
    def is_idle(self) -> bool:
        """Returns whether nothing is being written."""
        return not self._new and not self._running

    def add(self, task: ExplanationTask) -> None:
        """Takes a task; may be called from any thread."""
        self._new.append(task)

    def advance(self, active: LoadedAdapter) -> None:
        """Writes one more piece of each explanation.

        Args:
            active: the adapter that new explanations are written with.
        """
        while self._new:
            task = self._new.pop(0)
            self._running.append(_RunningExplanation(task, self._pieces(task), active))
        for running in self._running.copy():
            # Each ends with the adapter it began with: its key-value states are that adapter's.
            self._scorer.use(running.adapter)
            if not _advance(running.task, running.pieces):
                self._running.remove(running)
        self._scorer.use(active)

    def _pieces(self, task: ExplanationTask) -> Iterator[str]:
        # With the first piece, so that a prefix that cannot be computed fails this explanation alone.
        prefix = self._scorer.prefix_state(task.prompt)
        yield from write_explanation(
            task, prefix, self._scorer.model, self._encoder, self._before_explanation
        )


def _advance(task: ExplanationTask, pieces: Iterator[str]) -> bool:
    """Writes one more piece; returns whether there may be another."""
    if task.is_abandoned:
        return False
    try:
        task.pieces.put(next(pieces))
    except StopIteration:
        task.pieces.put(None)
        return False
    except PASS_ERRORS as error:
        raise_if_device_is_lost(error)
        failure: ScorerError = ScoringFailed("the model failed while explaining")
        failure.__cause__ = error.with_traceback(None)
        task.pieces.put(failure)
        return False
    return True
