"""The offset tracker between a broker and a worker, in every order that hypothesis can think of.

The worker is modelled as it is: a record in hand is not started twice, what is in hand at a rebalance goes
on, and acknowledgements wait for the next commit, which a rebalance or a crash forestalls.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.scoring_worker.intake.offset_tracker import OffsetTracker

PARTITIONS = (0, 1)
# Offsets need not follow one another: transactions and retention leave gaps.
LOGS = {0: [0, 1, 2, 5, 6, 9, 10, 11, 12, 20], 1: [3, 4, 5, 6, 7, 8]}
Place = tuple[int, int]


class Worker(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.committed = dict.fromkeys(PARTITIONS, 0)
        self.delivered: set[Place] = set()  # results that the broker has
        self._restart()

    def _restart(self) -> None:
        self.tracker: OffsetTracker[tuple[int, int, int]] = OffsetTracker()
        self.generation = 0
        self.in_hand: set[Place] = set()
        self.acknowledged: list[tuple[int, int, int]] = []
        self.position = dict(self.committed)
        self.is_assigned = dict.fromkeys(PARTITIONS, True)

    @rule(partition=st.sampled_from(PARTITIONS), count=st.integers(1, 4))
    def read(self, partition: int, count: int) -> None:
        if not self.is_assigned[partition]:
            return
        for offset in [each for each in LOGS[partition] if each >= self.position[partition]][:count]:
            self.position[partition] = offset + 1
            is_new = self.tracker.take(partition, offset, (self.generation, partition, offset))
            if is_new:
                self.in_hand.add((partition, offset))

    @rule(partition=st.sampled_from(PARTITIONS))
    def read_again_from_the_committed_offset(self, partition: int) -> None:
        self.position[partition] = self.committed[partition]

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        if not self.in_hand:
            return
        place = data.draw(st.sampled_from(sorted(self.in_hand)))
        self.in_hand.remove(place)
        self.delivered.add(place)
        self.acknowledged += self.tracker.finish(*place)

    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """One is given up undone, as when the engine closes; it is read again by the next owner."""
        if self.in_hand:
            self.in_hand.remove(data.draw(st.sampled_from(sorted(self.in_hand))))

    @rule()
    def commit(self) -> None:
        for generation, partition, offset in self.acknowledged:
            if generation == self.generation:
                self.committed[partition] = max(self.committed[partition], offset + 1)
        self.acknowledged = []

    @rule(kept=st.sets(st.sampled_from(PARTITIONS)))
    def rebalance(self, kept: set[int]) -> None:
        """All is revoked, and some of it comes back, as Kafka's eager protocol does it."""
        self.tracker.forget(PARTITIONS)
        self.generation += 1
        for partition in PARTITIONS:
            self.is_assigned[partition] = partition in kept
            self.position[partition] = self.committed[partition]

    @rule(partition=st.sampled_from(PARTITIONS), count=st.integers(1, 3))
    def another_worker_goes_on_with_a_partition(self, partition: int, count: int) -> None:
        if self.is_assigned[partition]:
            return
        for offset in [each for each in LOGS[partition] if each >= self.committed[partition]][:count]:
            self.delivered.add((partition, offset))
            self.committed[partition] = offset + 1

    @rule()
    def crash(self) -> None:
        self._restart()

    @invariant()
    def nothing_undone_is_committed(self) -> None:
        for partition, offset in self.committed.items():
            before = {(partition, each) for each in LOGS[partition] if each < offset}
            assert before <= self.delivered, f"lost {sorted(before - self.delivered)}"

    @invariant()
    def acknowledgements_come_in_order(self) -> None:
        for partition in PARTITIONS:
            offsets = [
                offset
                for generation, place, offset in self.acknowledged
                if place == partition and generation == self.generation
            ]
            assert offsets == sorted(set(offsets))

    def teardown(self) -> None:
        """After one more rebalance everything gets done and committed, however it stood."""
        self.rebalance(set(PARTITIONS))
        for partition in PARTITIONS:
            self.read(partition, len(LOGS[partition]))
        for place in sorted(self.in_hand, reverse=True):
            self.delivered.add(place)
            self.acknowledged += self.tracker.finish(*place)
        self.commit()
        assert self.committed == {partition: log[-1] + 1 for partition, log in LOGS.items()}
        assert self.tracker.num_unacknowledged == 0


TestWorker = Worker.TestCase
TestWorker.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
