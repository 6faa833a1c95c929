"""Simulates lag under bursts with autoscaling, and what a hot job does.

python -m tests.programs.capacity_simulation --pairs-per-second 2.9 --output capacity.png

A queue model in steps of one second, no service runs. The autoscaler is that of
k8s/components/keda/scaled_object.yaml: it looks every 15 seconds, at most doubles in a minute, never
passes the number of partitions, and goes down by one worker every two minutes after ten quiet ones.
"""

import argparse
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

POLL_SECONDS = 15
SCALE_UP_SECONDS = 60
QUIET_SECONDS = 600
SCALE_DOWN_SECONDS = 120


@dataclass(frozen=True)
class Site:
    """What is simulated.

    Attributes:
        pairs_per_second: of one worker, as measured.
        num_partitions: of the applications topic.
        min_workers: before the burst.
        is_autoscaled: whether the number of workers changes.
        lag_per_worker: applications waiting for each worker that the autoscaler aims at.
        start_seconds: from wanting a worker to its first score: a node, the image, the model.
        rebalance_seconds: nobody scores while partitions are handed out anew.
        hot_share: share of the arrivals that belongs to one job.
        num_salts: keys over which that job's applications are spread.
    """

    pairs_per_second: float = 2.9
    num_partitions: int = 8
    min_workers: int = 1
    is_autoscaled: bool = True
    lag_per_worker: int = 100
    start_seconds: int = 60
    rebalance_seconds: int = 5
    hot_share: float = 0.0
    num_salts: int = 1


@dataclass
class Run:
    """What came out, one value a second.

    Attributes:
        lag: applications waiting.
        workers: that score.
        wait_seconds: how long the oldest application of the worst partition has waited.
    """

    lag: list[float] = field(default_factory=list)
    workers: list[int] = field(default_factory=list)
    wait_seconds: list[float] = field(default_factory=list)


def shares(site: Site) -> list[float]:
    """Returns each partition's share of the arrivals."""
    even = (1 - site.hot_share) / site.num_partitions
    num_hot = min(site.num_salts, site.num_partitions)
    hot = site.hot_share / num_hot
    return [even + (hot if partition < num_hot else 0.0) for partition in range(site.num_partitions)]


class Autoscaler:
    """Decides how many workers there should be."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._wanted: deque[tuple[int, int]] = deque()
        self._last_up = self._last_down = -QUIET_SECONDS

    def decide(self, second: int, lag: float, current: int) -> int:
        """Returns the number to have from now on, those that start counted in."""
        if not self._site.is_autoscaled or second % POLL_SECONDS:
            return current
        wanted = math.ceil(lag / self._site.lag_per_worker)
        wanted = min(max(wanted, self._site.min_workers), self._site.num_partitions)
        self._wanted.append((second, wanted))
        while self._wanted[0][0] < second - QUIET_SECONDS:
            self._wanted.popleft()
        if wanted > current and second - self._last_up >= SCALE_UP_SECONDS:
            self._last_up = second
            return min(wanted, 2 * current)
        highest = max(number for _, number in self._wanted)
        if highest < current and second - self._last_down >= SCALE_DOWN_SECONDS:
            self._last_down = second
            return current - 1
        return current


def score(waiting: list[float], num_workers: int, pairs_per_second: float) -> None:
    """Lets the workers score for a second; partition p belongs to worker p modulo their number."""
    for worker in range(num_workers):
        left = pairs_per_second
        own = sorted(range(worker, len(waiting), num_workers), key=lambda partition: waiting[partition])
        for at, partition in enumerate(own):  # an even share each, what one leaves goes to the next
            done = min(waiting[partition], left / (len(own) - at))
            waiting[partition] -= done
            left -= done


def simulate(site: Site, arrivals: Callable[[int], float], num_seconds: int) -> Run:
    """Runs a site.

    Args:
        arrivals: applications a second, by second.
    """
    run, scaler = Run(), Autoscaler(site)
    waiting = [0.0] * site.num_partitions
    arrived: list[list[float]] = [[] for _ in waiting]
    total, done_seconds = [0.0] * len(waiting), [0] * len(waiting)
    ready, starting, paused = site.min_workers, deque[int](), 0
    for second in range(num_seconds):
        for partition, share in enumerate(shares(site)):
            waiting[partition] += arrivals(second) * share
            total[partition] += arrivals(second) * share
            arrived[partition].append(total[partition])
        current = ready + len(starting)
        wanted = scaler.decide(second, sum(waiting), current)
        starting.extend([second + site.start_seconds] * max(0, wanted - current))
        num_started = sum(at <= second for at in starting)
        if num_started or wanted < current:
            for _ in range(num_started):
                starting.popleft()
            ready += num_started - max(0, current - wanted)
            paused = site.rebalance_seconds
        if paused:
            paused -= 1
        else:
            score(waiting, ready, site.pairs_per_second)
        run.lag.append(sum(waiting))
        run.workers.append(ready)
        run.wait_seconds.append(oldest_wait(second, waiting, total, arrived, done_seconds))
    return run


def oldest_wait(
    second: int, waiting: list[float], total: list[float], arrived: list[list[float]], done: list[int]
) -> float:
    """Returns the age of the oldest application that is not scored; ``done`` remembers how far it looked."""
    ages = []
    for partition, left in enumerate(waiting):
        scored = total[partition] - left
        while done[partition] < second and arrived[partition][done[partition]] <= scored + 1e-9:
            done[partition] += 1
        ages.append(second - done[partition] if left > 1e-9 else 0)
    return max(ages)


def burst(base: float, factor: float, start: int, end: int) -> Callable[[int], float]:
    """Returns arrivals that are ``factor`` times as many between two seconds."""
    return lambda second: base * factor if start <= second < end else base


def draw(output: Path, pairs_per_second: float) -> None:
    """Draws both questions: a burst with and without autoscaling; a hot job with and without salt."""
    site = Site(pairs_per_second)
    rate, num_seconds = 0.6 * pairs_per_second, 3600
    ten_times = burst(rate, 6, 600, 1200)
    bursts = {
        "1 worker": simulate(replace(site, is_autoscaled=False), ten_times, num_seconds),
        "autoscaled, 1 to 8": simulate(site, ten_times, num_seconds),
    }
    busy = replace(site, min_workers=8, is_autoscaled=False, hot_share=0.6)
    steady = burst(0.6 * 8 * pairs_per_second, 1, 0, 0)
    hot = {
        "hot job on 1 key": simulate(busy, steady, num_seconds),
        "on 2 keys": simulate(replace(busy, num_salts=2), steady, num_seconds),
        "on 4 keys": simulate(replace(busy, num_salts=4), steady, num_seconds),
    }
    figure, axes = pyplot.subplots(2, 3, figsize=(12, 6), sharex=True)
    rows = ((f"Burst: {rate:.1f}/s, six times that for ten minutes", bursts), ("60 % belong to one job", hot))
    for row, (title, runs) in zip(axes, rows, strict=True):
        for name, run in runs.items():
            minutes = [second / 60 for second in range(num_seconds)]
            row[0].plot(minutes, run.lag, label=name)
            row[1].plot(minutes, run.wait_seconds)
            row[2].plot(minutes, run.workers)
        row[0].set_title(title, fontsize=9)
        row[0].set_ylabel("applications waiting")
        row[1].set_ylabel("oldest waits, seconds")
        row[2].set_ylabel("workers")
        row[0].legend(fontsize=8)
    for axis in axes[1]:
        axis.set_xlabel("minutes")
    figure.suptitle(f"Simulated: {pairs_per_second} pairs/s a worker, 8 partitions", fontsize=10)
    figure.tight_layout()
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=90)
    for runs in (bursts, hot):
        for name, run in runs.items():
            print(f"{name}: most waiting {max(run.lag):.0f}, longest wait {max(run.wait_seconds):.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulates lag under bursts and hot jobs.")
    parser.add_argument("--pairs-per-second", type=float, default=Site.pairs_per_second)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    draw(options.output, options.pairs_per_second)


if __name__ == "__main__":
    main()
