"""What docs/capacity.md says of hot jobs: the key of an application only chooses its partition."""

import asyncio

from services.contracts.topics import APPLICATION_SUBMITTED
from services.service_kit.kafka_client import create_topics
from services.service_kit.settings import Settings
from tests.integration.kafka_desk import KafkaDesk

NUM_SALTS = 4


async def test_an_application_with_a_salted_key_finds_its_job(settings: Settings) -> None:
    await create_topics(settings)
    async with KafkaDesk(settings) as desk:
        await desk.post_job("hot")
        for number in range(8):
            key = f"hot#{number % NUM_SALTS}"
            await desk.send(APPLICATION_SUBMITTED, key, desk.application(f"a-{number}", "hot"))
        await desk.flush()

        async with desk.worker() as metrics, asyncio.timeout(30):
            scores = await desk.scores(8)

    assert scores.keys() == {f"a-{number}" for number in range(8)}
    partitions = {
        sample.labels["partition"]
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "scoring_committed_offset"
    }
    assert len(partitions) > 1
