"""Workers that are killed, and workers that come and go: every application is scored all the same."""

import asyncio
import signal
from pathlib import Path
from random import Random

from tests.programs.faults.applications import any_broker, fault_settings, is_broker_embedded, sending
from tests.programs.faults.fleet import Fleet, Service

LONGEST_LIFE_SECONDS = 3.0
DRAIN_SECONDS = 20.0
END_SECONDS = DRAIN_SECONDS + 15.0  # draining, the last commit, and the interpreter's own end
PATIENCE_SECONDS = 300.0
MAX_IN_FLIGHT = 32


async def kill_workers(
    folder: Path,
    num_applications: int = 3000,
    num_kills: int = 20,
    num_workers: int = 3,
    *,
    is_model_real: bool = True,
    seed: int = 1,
) -> dict[str, float]:
    """SIGKILL of workers at random moments; each is replaced at once.

    Args:
        folder: for logs.
        num_applications: sent in shares before each kill, so that every kill meets work.
        num_kills: how many.
        num_workers: alive at once.
        is_model_real: the tiny Gemma, or answers without any model.
        seed: of the moments.

    Returns:
        What was counted.
    """
    random = Random(seed)
    async with any_broker() as address:
        settings = fault_settings(address)
        changes = {"worker_max_in_flight": MAX_IN_FLIGHT}
        with Fleet(settings, folder, is_model_real=is_model_real, **changes) as fleet:
            async with sending(settings) as applications:
                for _ in range(num_workers):
                    fleet.start("worker")
                await asyncio.gather(*(each.until_ready() for each in fleet.services))
                num_in_work = 0
                for number in range(num_kills):
                    due = num_applications * (number + 1) // num_kills
                    await applications.send(due - len(applications.sent))
                    await asyncio.sleep(random.uniform(0, LONGEST_LIFE_SECONDS))
                    num_in_work += applications.num_done < len(applications.sent)
                    await _kill(random.choice(fleet.alive("worker")))
                    fleet.start("worker")
                await applications.until(num_applications, PATIENCE_SECONDS)
                counts = applications.counts()
            crashed = fleet.crashed()
    counts |= {"kills": num_kills, "kills_amid_work": num_in_work, "crashed": len(crashed)}
    _check(counts, crashed)
    assert num_in_work >= num_kills // 2, f"most kills met idle workers: {counts}"
    return dict(counts)


async def rebalance_storm(
    folder: Path,
    num_applications: int = 3000,
    num_changes: int = 20,
    pause_seconds: float = 3.0,
    *,
    is_model_real: bool = True,
) -> dict[str, float]:
    """Workers join, and leave at SIGTERM, every few seconds; one stays.

    On Apache Kafka they do so in the midst of each other's rebalances. On the embedded broker each change
    waits for the one before: there a group whose leader leaves while it forms keeps that leader for ever
    (Tansu's ``leave`` of a forming group), and nobody is given partitions again.

    Args:
        folder: for logs.
        num_applications: sent in shares before each change.
        num_changes: how many times one joins and one leaves.
        pause_seconds: at least so long between two changes.
        is_model_real: the tiny Gemma, or answers without any model.

    Returns:
        What was counted.
    """
    async with any_broker() as address:
        settings = fault_settings(address)
        changes = {"worker_max_in_flight": MAX_IN_FLIGHT, "drain_seconds": DRAIN_SECONDS}
        with Fleet(settings, folder, is_model_real=is_model_real, **changes) as fleet:
            async with sending(settings) as applications:
                fleet.start("worker")
                guest = fleet.start("worker")
                await asyncio.gather(*(each.until_ready() for each in fleet.services))
                leavers = []
                for number in range(num_changes):
                    due = num_applications * (number + 1) // num_changes
                    await applications.send(due - len(applications.sent))
                    joining = fleet.start("worker")
                    await asyncio.sleep(pause_seconds / 2)
                    if is_broker_embedded():
                        await joining.until_ready()
                    guest.send(signal.SIGTERM)
                    leavers.append(guest)
                    await asyncio.sleep(pause_seconds / 2)
                    if is_broker_embedded():
                        await guest.exit_code(END_SECONDS)
                    guest = joining
                await applications.until(num_applications, PATIENCE_SECONDS)
                exit_codes = [await each.exit_code(END_SECONDS) for each in leavers]
                counts = applications.counts()
            crashed = fleet.crashed()
    counts |= {
        "changes": num_changes,
        "left_in_order": exit_codes.count(0),
        "crashed": len(crashed),
    }
    _check(counts, crashed)
    assert exit_codes == [0] * num_changes, f"exit codes {exit_codes}"
    return dict(counts)


async def _kill(victim: Service) -> None:
    victim.send(signal.SIGKILL)
    await victim.exit_code(5)


def _check(counts: dict[str, int], crashed: list[str]) -> None:
    assert not crashed, crashed[0]
    assert counts["scored"] == counts["sent"], counts
    assert counts["lost"] == counts["dead_letters"] == 0, counts
    assert counts["differing"] == 0, counts
