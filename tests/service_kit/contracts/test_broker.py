"""What every broker must do; the one in memory and RabbitMQ."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.messaging.broker import Broker, Outcome, OutgoingMessage
from service_kit.rabbit.publisher import RabbitPublisher
from service_kit.testing.fakes import MemoryBroker
from tests.support.rabbit_support import own_queue, until
from tests.support.tcp_proxy import TcpProxy


@dataclass
class Counter:
    """A broker with one queue behind it.

    Attributes:
        topic: Leads to the queue.
        unroutable: A topic for the next message that no queue takes.
        ids: Takes the ids of so many messages out of the queue.
    """

    broker: Broker
    topic: str
    unroutable: Callable[[], str]
    ids: Callable[[int], Awaitable[list[str]]]
    go_away: Callable[[], Awaitable[None]]
    come_back: Callable[[], Awaitable[None]]

    def message(self, number: int, *, topic: str | None = None) -> OutgoingMessage:
        return OutgoingMessage(f"m{number}", topic or self.topic, b"body %d" % number, "text/plain")


async def _in_memory() -> Counter:
    broker = MemoryBroker()

    async def ids(count: int) -> list[str]:
        taken, broker.messages[:count] = [message.id for message in broker.messages[:count]], []
        return taken

    async def go_away() -> None:
        broker.stop()

    async def come_back() -> None:
        broker.start()

    def unroutable() -> str:
        broker.answer([Outcome.REFUSED])
        return "nobody.listens"

    return Counter(broker, "thing.happened", unroutable, ids, go_away, come_back)


@pytest.fixture(params=["memory", "rabbit"])
async def counter(request: pytest.FixtureRequest) -> AsyncIterator[Counter]:
    if request.param == "memory":
        yield await _in_memory()
        return
    server: RabbitNode = request.getfixturevalue("rabbit")
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(own_queue(server.url))
        proxy = await stack.enter_async_context(TcpProxy(server.url))
        publisher = RabbitPublisher(proxy.url, "tests", [queue.topology])
        await stack.enter_async_context(publisher.running())

        async def ids(count: int) -> list[str]:
            return [str((await queue.take()).header.properties.message_id) for _ in range(count)]

        async def go_away() -> None:
            await proxy.disconnect()
            await until(lambda: not publisher._up.is_set())

        topic = f"{queue.topology.queue}.happened"
        yield Counter(publisher, topic, lambda: "nobody.listens", ids, go_away, proxy.restore)


async def test_confirms_what_a_queue_has_taken(counter: Counter) -> None:
    await counter.broker.connected()
    assert await counter.broker.publish([counter.message(1)]) == [Outcome.CONFIRMED]
    assert await counter.ids(1) == ["m1"]


async def test_keeps_the_order_of_what_is_published_together(counter: Counter) -> None:
    await counter.broker.connected()
    outcomes = await counter.broker.publish([counter.message(number) for number in range(300)])
    assert outcomes == [Outcome.CONFIRMED] * 300
    assert await counter.ids(300) == [f"m{number}" for number in range(300)]


async def test_publishes_nothing_when_there_is_nothing(counter: Counter) -> None:
    await counter.broker.connected()
    assert list(await counter.broker.publish([])) == []


async def test_refuses_what_no_queue_takes(counter: Counter) -> None:
    await counter.broker.connected()
    astray = counter.message(1, topic=counter.unroutable())
    assert await counter.broker.publish([astray]) == [Outcome.REFUSED]


async def test_tells_of_each_message_by_itself(counter: Counter) -> None:
    await counter.broker.connected()
    astray = counter.message(1, topic=counter.unroutable())
    outcomes = await counter.broker.publish([astray, counter.message(2), counter.message(3)])
    assert outcomes == [Outcome.REFUSED, Outcome.CONFIRMED, Outcome.CONFIRMED]
    assert await counter.ids(2) == ["m2", "m3"]


async def test_confirms_again_after_a_refusal(counter: Counter) -> None:
    await counter.broker.connected()
    await counter.broker.publish([counter.message(1, topic=counter.unroutable())])
    assert await counter.broker.publish([counter.message(1)]) == [Outcome.CONFIRMED]


async def test_knows_nothing_of_a_message_while_it_is_away(counter: Counter) -> None:
    await counter.broker.connected()
    await counter.go_away()
    assert await counter.broker.publish([counter.message(1), counter.message(2)]) == [Outcome.UNKNOWN] * 2


async def test_lets_wait_until_it_is_back(counter: Counter) -> None:
    await counter.broker.connected()
    await counter.go_away()
    waiting = asyncio.create_task(counter.broker.connected())
    await asyncio.sleep(0)
    assert not waiting.done()
    await counter.come_back()
    async with asyncio.timeout(10):
        await waiting
    assert await counter.broker.publish([counter.message(1)]) == [Outcome.CONFIRMED]


async def test_is_published_to_by_many_at_once(counter: Counter) -> None:
    await counter.broker.connected()
    batches = [[counter.message(100 * batch + number) for number in range(20)] for batch in range(10)]
    outcomes = await asyncio.gather(*(counter.broker.publish(batch) for batch in batches))
    assert outcomes == [[Outcome.CONFIRMED] * 20] * 10
    assert sorted(await counter.ids(200)) == sorted(message.id for batch in batches for message in batch)
