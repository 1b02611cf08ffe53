"""Whether a publisher notices that a reader's queue was missing, though a stranger's takes everything."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.exceptions import ChannelNotFoundEntity

from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.messaging.broker import EVENTS_EXCHANGE, Outcome, OutgoingMessage
from service_kit.rabbit.publisher import RabbitPublisher
from tests.support.rabbit_support import Queue, until
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture(autouse=True)
async def audit(queue: Queue) -> None:
    """A stranger's queue that is bound to everything, and so keeps RabbitMQ from returning anything."""
    audit = await queue.channel.declare_queue(f"audit_{uuid4().hex}", exclusive=True)
    await audit.bind(EVENTS_EXCHANGE, "#")


@pytest.fixture
async def publisher(proxy: TcpProxy, queue: Queue) -> AsyncIterator[RabbitPublisher]:
    publisher = RabbitPublisher(proxy.url, "tests", [queue.topology], readers=[queue.topology])
    async with publisher.running():
        async with asyncio.timeout(10):
            await publisher.connected()
        yield publisher


async def publish(publisher: RabbitPublisher, queue: Queue) -> int:
    """Publish an event, which somebody takes; its generation."""
    generation = publisher.generation
    message = OutgoingMessage(uuid4().hex, f"{queue.topology.queue}.happened", b"body", "text/plain")
    assert await publisher.publish([message]) == [Outcome.CONFIRMED]
    return generation


async def test_confirms_what_the_reader_has(publisher: RabbitPublisher, queue: Queue) -> None:
    assert await publisher.verdict(await publish(publisher, queue)) is Outcome.CONFIRMED
    assert await queue.count() == 1


async def test_notices_that_a_queue_is_missing_and_makes_it_again(publisher: RabbitPublisher, queue: Queue) -> None:
    await queue.delete()
    assert await publisher.verdict(await publish(publisher, queue)) is Outcome.REFUSED
    missed_in = publisher.generation
    await until(lambda: publisher.generation > missed_in)
    assert await publisher.verdict(await publish(publisher, queue)) is Outcome.CONFIRMED
    assert await queue.count() == 1


async def test_notices_that_a_queue_was_missing_though_its_reader_has_made_it_again(
    publisher: RabbitPublisher, queue: Queue
) -> None:
    await queue.delete()
    generation = await publish(publisher, queue)
    await queue.topology.declare(queue.channel)
    assert await publisher.verdict(generation) is Outcome.REFUSED
    assert await queue.count() == 0


async def test_doubts_all_that_was_sent_before_the_queue_was_there_again(
    publisher: RabbitPublisher, queue: Queue
) -> None:
    await queue.delete()
    generations = [await publish(publisher, queue) for _ in range(2)]
    assert [await publisher.verdict(generation) for generation in generations] == [Outcome.REFUSED] * 2


async def test_knows_nothing_once_the_connection_has_broken(
    publisher: RabbitPublisher, queue: Queue, proxy: TcpProxy
) -> None:
    generation = await publish(publisher, queue)
    await proxy.disconnect()
    await until(lambda: not publisher._up.is_set())
    assert await publisher.verdict(generation) is Outcome.UNKNOWN
    await proxy.restore()
    await publisher.connected()
    assert await publisher.verdict(generation) is Outcome.UNKNOWN
    assert await publisher.verdict(await publish(publisher, queue)) is Outcome.CONFIRMED


async def test_binds_a_queue_again_that_somebody_has_unbound(rabbit: RabbitNode, queue: Queue) -> None:
    publisher = RabbitPublisher(rabbit.url, "tests", [queue.topology], readers=[queue.topology], bind_again_seconds=0)
    async with publisher.running():
        await publisher.connected()
        [topic] = queue.topology.topics
        await (await queue.channel.get_queue(queue.topology.queue)).unbind(EVENTS_EXCHANGE, topic)
        await publisher.verdict(publisher.generation)
        await publish(publisher, queue)
    assert await queue.count() == 1


async def test_leaves_no_marker_behind(rabbit: RabbitNode, queue: Queue) -> None:
    publisher = RabbitPublisher(rabbit.url, "tests", [queue.topology], readers=[queue.topology])
    [marker] = publisher._readers._marker_of.values()
    async with publisher.running():
        await publisher.connected()
        await queue.channel.get_exchange(marker)
    async with await aio_pika.connect(rabbit.url) as connection, connection.channel() as channel:
        with pytest.raises(ChannelNotFoundEntity):
            await channel.get_exchange(marker)
