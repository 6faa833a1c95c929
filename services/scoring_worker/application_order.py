"""The results of one application leave in the order of its events, so that the last one stays the last.

The scored topic keeps the last record of a key. Pairs are scored in batches that form by length, so a
corrected resume may be ready before the first one: its result waits. Both are published, because the first is
the only one there is if the second turns out to be unreadable. An event that waits for its job holds nobody
up; once a later one was published, it is superseded and gets no result.

Events of one partition come in the order of their offsets; between partitions the order in which they come to
this worker counts.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from services.events.wire.event_codec import Position


@dataclass(slots=True, eq=False)
class Turn:
    """One event's position in the line of its application.

    Attributes:
        application_id: whose.
        position: partition and offset of the event.
        is_superseded: whether a later event's result was published meanwhile.
        passed: set while nobody has to wait for it.
    """

    application_id: str
    position: Position
    is_superseded: bool = False
    passed: asyncio.Event = field(default_factory=asyncio.Event)


class ApplicationOrder:
    """Knows the events in flight and those that wait for their job; others leave no trace."""

    def __init__(self) -> None:
        self._lines: defaultdict[str, dict[Position, Turn]] = defaultdict(
            dict
        )  # in the order of their coming
        self._aside: dict[Position, Turn] = {}

    def enter(self, application_id: str, position: Position) -> Turn:
        """Takes a turn behind the events that came before; one that stepped aside gets its old one back."""
        turn = self._aside.pop(position, None)
        if turn is None:
            turn = self._lines[application_id][position] = Turn(application_id, position)
        turn.passed.clear()
        return turn

    async def come(self, turn: Turn) -> bool:
        """Waits for the events before this one that are in flight.

        Returns:
            Whether its result may be published; False where it is superseded.
        """
        while (ahead := self._ahead_of(turn)) is not None:
            await ahead.passed.wait()
        return not turn.is_superseded

    def note_published(self, turn: Turn) -> None:
        """Supersedes whatever came before and stepped aside."""
        for each in self._lines[turn.application_id].values():
            if each is turn:
                return
            each.is_superseded = True

    def step_aside(self, turn: Turn) -> None:
        """Lets later events pass while this one waits for its job."""
        turn.passed.set()
        self._aside[turn.position] = turn

    def leave(self, turn: Turn) -> None:
        """Ends a turn, whatever became of the event."""
        turn.passed.set()
        line = self._lines[turn.application_id]
        if line.get(turn.position) is turn:
            del line[turn.position]
        if not line:
            del self._lines[turn.application_id]

    def withdraw(self, position: Position) -> bool:
        """Ends the turn of an event that stepped aside; returns whether it was superseded."""
        turn = self._aside.pop(position, None)
        if turn is None:
            return False
        self.leave(turn)
        return turn.is_superseded

    def forget(self, partitions: set[int]) -> None:
        """Ends the turns of events that stepped aside, of partitions that now belong to another worker."""
        for position in [position for position in self._aside if position[0] in partitions]:
            self.withdraw(position)

    def _ahead_of(self, turn: Turn) -> Turn | None:
        for each in self._lines[turn.application_id].values():
            if each is turn:
                return None
            if not each.passed.is_set():
                return each
        return None
