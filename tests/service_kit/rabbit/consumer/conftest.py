"""A consumer on a queue of the test's own, behind a proxy, with a handler that watches."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from service_kit.messaging.circuit_breaker import CircuitBreaker
from service_kit.rabbit.consumer import Consumer, ConsumerTimings
from tests.support.rabbit_support import Queue, Witness, consuming, thing_happened, until
from tests.support.tcp_proxy import TcpProxy

ConsumerMaker = Callable[..., Consumer]


@pytest.fixture
async def witness() -> Witness:
    return Witness()


@pytest.fixture
async def make_consumer(proxy: TcpProxy, queue: Queue, witness: Witness) -> ConsumerMaker:
    """Makes consumers of the queue, behind the proxy."""

    def make(*, breaker: CircuitBreaker | None = None, check_seconds: float = 15, **seconds: float) -> Consumer:
        timings = ConsumerTimings(check_seconds=check_seconds, **seconds)
        return Consumer(proxy.url, "tests", queue.topology, witness, breaker=breaker, timings=timings)

    return make


async def has(queue: Queue, count: int) -> bool:
    return await queue.count() == count


@asynccontextmanager
async def disconnected_at_work(
    consumer: Consumer, queue: Queue, witness: Witness, proxy: TcpProxy
) -> AsyncIterator[None]:
    """A consumer whose connection broke while it handles its first message, until `witness.gate` is set."""
    witness.gate.clear()
    await queue.put_events(thing_happened())
    async with consuming(consumer):
        await witness.is_at_work()
        await proxy.disconnect()
        await until(lambda: consumer._subscription is None)
        yield
