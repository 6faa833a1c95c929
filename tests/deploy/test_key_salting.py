"""What docs/capacity.md says of hot jobs: the key of an application only chooses its partition."""

import asyncio

from services.contracts.topics import APPLICATION_SUBMITTED
from services.events.kafka_client import create_topics
from services.process.settings import Settings
from tests.doubles.kafka_desk import KafkaDesk

NUM_SALTS = 16  # keys differ from run to run: so many never fall on one partition alone


async def test_an_application_with_a_salted_key_finds_its_job(settings: Settings) -> None:
    await create_topics(settings)
    async with KafkaDesk(settings) as desk:
        await desk.post_job("hot")
        for number in range(NUM_SALTS):
            await desk.send(APPLICATION_SUBMITTED, f"hot#{number}", desk.application(f"a-{number}", "hot"))
        await desk.flush()

        async with desk.worker(), asyncio.timeout(30):
            scores = await desk.scores(NUM_SALTS)
        sent = await desk.read(APPLICATION_SUBMITTED, lambda found: len(found) == NUM_SALTS)

    assert scores.keys() == {f"a-{number}" for number in range(NUM_SALTS)}
    assert len({record.partition for record in sent}) > 1
