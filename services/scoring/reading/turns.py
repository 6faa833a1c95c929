"""How a family of models marks whose turn it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turns:
    """The marks of one family, as its vocabulary spells them.

    Attributes:
        start: of the whole text.
        user: what opens the turn of whoever asks.
        end: what closes a turn; what follows it up to the next turn is part of it.
        model: what opens the turn of the model.
        stops: the tokens that end what a model writes.
    """

    start: str
    user: str
    end: str
    model: str
    stops: tuple[str, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """Returns the tokens among the marks, which text from outside must never become."""
        return tuple(dict.fromkeys((self.start, self.user.split("user")[0], self.end, *self.stops)))


#: https://ai.google.dev/gemma/docs/core/prompt-structure
GEMMA_TURNS = Turns(
    start="<bos>",
    user="<start_of_turn>user\n",
    end="<end_of_turn>",
    model="\n<start_of_turn>model\n",
    stops=("<end_of_turn>", "<eos>"),
)
