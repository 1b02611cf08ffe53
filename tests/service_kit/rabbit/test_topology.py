import asyncio
from dataclasses import replace
from itertools import pairwise

import aio_pika
import pytest

from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.messaging.broker import EVENTS_EXCHANGE
from service_kit.rabbit.topology import QueueMismatchError, QueueTopology
from tests.support.rabbit_support import Queue, own_queue, rabbitmqctl, thing_happened, until


async def declare(url: str, topology: QueueTopology) -> None:
    async with await aio_pika.connect(url) as connection:
        await topology.declare(await connection.channel())


async def test_is_declared_twice_without_harm(rabbit: RabbitNode) -> None:
    async with own_queue(rabbit.url) as queue:
        await queue.put(b"kept")
        await declare(rabbit.url, queue.topology)
        assert await queue.count() == 1


async def test_is_declared_by_many_at_once(rabbit: RabbitNode) -> None:
    async with own_queue(rabbit.url, retry_seconds=(1, 10, 60)) as queue:
        for name in (queue.topology.queue, queue.topology.dead_queue, queue.topology.retry_queue(10)):
            await queue.delete(name)
        await asyncio.gather(*(declare(rabbit.url, queue.topology) for _ in range(8)))
        assert await queue.count() == await queue.count_dead() == 0


async def test_leads_its_topics_to_the_queue(rabbit: RabbitNode) -> None:
    async with own_queue(rabbit.url) as queue:
        await queue.underlay.basic_publish(
            b"routed", exchange=EVENTS_EXCHANGE, routing_key=f"{queue.topology.queue}.happened", mandatory=True
        )
        assert (await queue.take()).body == b"routed"


@pytest.mark.parametrize("which", ["queue", "dead_queue", "retry_queue"])
async def test_says_in_one_sentence_that_a_queue_has_other_arguments(rabbit: RabbitNode, which: str) -> None:
    async with own_queue(rabbit.url) as queue:
        topology = queue.topology
        name = topology.retry_queue(1) if which == "retry_queue" else getattr(topology, which)
        await queue.delete(name)
        await queue.channel.declare_queue(name, durable=True)
        with pytest.raises(QueueMismatchError) as caught:
            await declare(rabbit.url, topology)
        sentence = str(caught.value)
        assert topology.queue in sentence
        assert "delete it" in sentence
        assert "x-" in sentence
        assert "\n" not in sentence


async def test_differs_from_a_topology_with_other_waits_by_other_queues(rabbit: RabbitNode) -> None:
    async with own_queue(rabbit.url) as queue:
        await declare(rabbit.url, replace(queue.topology, retry_seconds=(1,)))


async def test_holds_messages_in_quorum_queues(rabbit: RabbitNode) -> None:
    async with own_queue(rabbit.url) as queue:
        lines = (await rabbitmqctl(rabbit, "list_queues", "name", "type", "durable")).splitlines()
        ours = [line.split("\t")[1:] for line in lines if line.startswith(queue.topology.queue)]
        assert ours == [["quorum", "true"]] * 3


async def test_loses_no_message_whose_way_leads_to_a_queue_that_is_not_there(rabbit: RabbitNode) -> None:
    """RabbitMQ's own dead-lettering would drop it, were it not `at-least-once`."""
    await rabbitmqctl(rabbit, "eval", "application:set_env(rabbit, dead_letter_worker_publisher_confirm_timeout, 500).")
    async with own_queue(rabbit.url) as queue:
        await queue.delete()
        await queue.put(b"on its rung", into=queue.topology.retry_queue(1))
        await until(lambda: is_empty(queue, queue.topology.retry_queue(1)))
        await declare(rabbit.url, queue.topology)
        assert (await queue.take()).body == b"on its rung"
        await queue.delete(queue.topology.dead_queue)
        await queue.put(b"dead")
        message = await queue.underlay.basic_get(queue.topology.queue)
        assert message.delivery_tag is not None
        await queue.underlay.basic_reject(message.delivery_tag, requeue=False)
        await until(lambda: is_empty(queue, queue.topology.queue))
        await declare(rabbit.url, queue.topology)
        assert (await queue.take_dead()).body == b"dead"


async def is_empty(queue: Queue, name: str) -> bool:
    return await queue.count(name) == 0


async def test_lets_a_message_wait_on_a_rung_and_come_back(rabbit: RabbitNode) -> None:
    async with own_queue(rabbit.url) as queue:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await queue.put(b"waiting", into=queue.topology.retry_queue(1), headers={"x-attempts": 1})
        back = await queue.take()
        assert 0.9 < loop.time() - began < 5
        assert (back.header.properties.headers or {})["x-attempts"] == 1


async def test_keeps_the_order_of_what_waits_on_a_rung(rabbit: RabbitNode) -> None:
    async with own_queue(rabbit.url) as queue:
        for number in range(20):
            await queue.put(b"%02d" % number, into=queue.topology.retry_queue(1))
        bodies = [(await queue.take()).body for _ in range(20)]
        assert all(former < latter for former, latter in pairwise(bodies))


async def test_gives_a_message_to_the_dead_queue_that_was_delivered_too_often(rabbit: RabbitNode) -> None:
    async with own_queue(rabbit.url, crash_limit=3) as queue:
        event = thing_happened()
        await queue.put_events(event)
        for _ in range(4):
            message = await queue.underlay.basic_get(queue.topology.queue)
            assert message.delivery_tag is not None
            await queue.underlay.basic_reject(message.delivery_tag, requeue=True)
        letter = await queue.take_dead()
        deaths = (letter.header.properties.headers or {})["x-death"]
        assert deaths[0]["reason"] == "delivery_limit"  # type: ignore[index,call-overload]  # a table of AMQP
