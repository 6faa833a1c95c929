"""``python -m tests.programs.faults`` at a small size; each counts, and fails on what was lost."""

from pathlib import Path

import pytest

from tests.programs.faults import backlog, models, outages, workers

pytestmark = pytest.mark.slow


async def test_no_application_is_lost_to_killed_workers(tmp_path: Path) -> None:
    counts = await workers.kill_workers(tmp_path, 400, num_kills=4, is_model_real=False)

    print(counts)
    assert counts["scored"] == 400


async def test_no_application_is_lost_while_workers_come_and_go(tmp_path: Path) -> None:
    counts = await workers.rebalance_storm(
        tmp_path, 300, num_changes=3, pause_seconds=2.0, is_model_real=False
    )

    print(counts)
    assert counts["scored"] == 300


async def test_services_outlive_their_broker_and_say_that_it_is_gone(tmp_path: Path) -> None:
    counts = await outages.broker_gone(tmp_path, 10.0, 160, is_model_real=False)

    print(counts)
    assert counts["scored"] == 160


async def test_a_terminated_service_ends_in_time_even_without_its_broker(tmp_path: Path) -> None:
    print(await outages.terminated(tmp_path, drain_seconds=2.0, is_model_real=False))


async def test_batches_that_do_not_fit_are_split_and_what_fails_alone_is_put_aside(tmp_path: Path) -> None:
    counts = await models.out_of_memory(tmp_path, 150)

    print(counts)
    assert counts["dead_letters"] == 3


async def test_a_hung_model_ends_liveness_in_bounded_time(tmp_path: Path) -> None:
    print(await models.hung_model(tmp_path))


async def test_an_api_under_ten_times_its_load_refuses_at_once_and_keeps_its_word(tmp_path: Path) -> None:
    print(await models.overload(tmp_path, seconds=9.0, deadline_seconds=3.0))


async def test_applications_beyond_what_a_worker_can_do_wait_on_kafka(tmp_path: Path) -> None:
    print(await backlog.kafka_overload(tmp_path, seconds=2.0, factor=8.0, is_model_real=False))
