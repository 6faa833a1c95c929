"""Instruction tuning in the model's own turns: a prompt, and the answer that the loss stands on.

The prompt of a score is the one that scoring uses, so that training and serving cannot drift apart.
"""

import dataclasses
from dataclasses import dataclass

from services.contracts.reading import ReadingRules
from services.scoring.reading.pair_reader import PairReader
from services.scoring.reading.prompt import BEFORE_EXPLANATION
from services.scoring.reading.text_encoder import TextEncoder
from training.pairs.dataset import LabelledPair

# A reasoning of three sentences; longer ones are cut, so that the resume keeps its room.
MAX_ANSWER_TOKENS = 128


@dataclass(frozen=True, slots=True)
class AnswerExample:
    """One prompt and its answer, as token ids.

    Attributes:
        prompt: ends where the model's turn begins.
        answer: ends with the end of the turn.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]


class AnswerFormatter:
    """Builds examples within a length budget.

    Args:
        rules: by which training reads; its longest prompt is meant with the answer.
    """

    def __init__(self, encoder: TextEncoder, rules: ReadingRules) -> None:
        self._encoder = encoder
        self._max_tokens = rules.max_prompt_tokens - MAX_ANSWER_TOKENS
        self._reader = PairReader(encoder, dataclasses.replace(rules, max_prompt_tokens=self._max_tokens))

    def score_example(self, labelled: LabelledPair) -> AnswerExample:
        """Returns scoring's own prompt with the score, and the reasoning where the row has one.

        Raises:
            InvalidInput: a text holds nothing to read.
        """
        prompt = self._reader.read(labelled.pair.job_description, labelled.pair.resume).prompt
        answer = str(round(labelled.score))
        reasoning = labelled.pair.fields.get("reasoning")
        if isinstance(reasoning, str) and reasoning.strip():
            answer += f"{BEFORE_EXPLANATION} {reasoning.strip()}"
        return AnswerExample((*prompt.prefix, *prompt.suffix), self._answer(answer))

    def task_example(self, instruction: str, text: str, answer: str) -> AnswerExample:
        """Returns another task over a text from outside, which is cut at its end where it is too long."""
        turns = self._encoder.turns
        before = self._encoder.encode_template(f"{turns.start}{turns.user}{instruction}\n\n")
        behind = self._encoder.encode_template(turns.end + turns.model)
        inside = self._encoder.encode_outside(text)[: self._max_tokens - len(before) - len(behind)]
        return AnswerExample((*before, *inside, *behind), self._answer(answer))

    def _answer(self, text: str) -> tuple[int, ...]:
        tokens = self._encoder.encode_outside(text)[: MAX_ANSWER_TOKENS - 1]
        return (*tokens, *self._encoder.encode_template(self._encoder.turns.end))
