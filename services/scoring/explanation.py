"""Explanation text, written token by token between two batches, so that it never holds scores up."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.contracts.scoring import PairScore
from services.scoring.prefix_cache import PrefixState
from services.scoring.prompt import Prompt, PromptBuilder
from services.scoring.score_model import ScoreModel
from services.scoring.text_encoder import TextEncoder

_STOP_TOKENS = ("<end_of_turn>", "<eos>")


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
    prompts: PromptBuilder,
) -> Iterator[str]:
    """Yields the text of an explanation piece by piece, one forward pass each (greedy decoding).

    Args:
        task: what to explain.
        prefix: state of the pair's job part.
        model: computes the next token.
        encoder: of the base model.
        prompts: knows what stands between score and explanation.
    """
    stops = {encoder.token_id(token) for token in _STOP_TOKENS}
    answer = encoder.encode_template(str(round(task.score.score)))
    token, cache = model.continue_greedily(
        [*task.prompt.suffix, *answer, *prompts.before_explanation], prefix
    )
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
