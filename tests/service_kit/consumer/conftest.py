"""A consumer on a queue of the test's own, at the end of a cable, with a handler that watches."""

from collections.abc import AsyncIterator, Callable

import pytest

from dev_stack.rabbit_node import RabbitNode
from service_kit.consumer import Consumer
from service_kit.pace import Pace
from tests.service_kit.stage import Cable, Queue, Witness, own_queue

ConsumerMaker = Callable[..., Consumer]


@pytest.fixture
async def queue(rabbit: RabbitNode) -> AsyncIterator[Queue]:
    async with own_queue(rabbit.url) as queue:
        yield queue


@pytest.fixture
async def cable(rabbit: RabbitNode) -> AsyncIterator[Cable]:
    async with Cable(rabbit.url) as cable:
        yield cable


@pytest.fixture
async def witness() -> Witness:
    return Witness()


@pytest.fixture
async def make_consumer(cable: Cable, queue: Queue, witness: Witness) -> ConsumerMaker:
    """Makes consumers of the queue, at the end of the cable."""

    def make(*, pace: Pace | None = None, check_seconds: float = 15) -> Consumer:
        return Consumer(cable.url, "tests", queue.topology, witness, pace=pace, check_seconds=check_seconds)

    return make


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnects at once."""
    monkeypatch.setattr("service_kit.rabbit_connection._FIRST_RETRY_SECONDS", 0.01)


async def has(queue: Queue, count: int) -> bool:
    return await queue.count() == count
