"""Connections that break while letters are read or settled: no letter is lost."""

import pytest

from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.rabbit.connection import BROKER_ERRORS
from service_kit.rabbit.dead_letter_queue import opened
from service_kit.rabbit.publisher import RabbitPublisher
from service_kit.rabbit.subscription import Subscription
from tests.service_kit.commands.dead_letters.conftest import bury, dead_ids, ids_in
from tests.support.rabbit_support import Queue
from tests.support.tcp_proxy import TcpProxy


async def test_says_that_the_connection_has_ended_before_all_was_read(
    rabbit: RabbitNode, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(50):
        await queue.put(b"x" * 500_000, into=queue.topology.dead_queue)
    begin = Subscription.begin
    async with TcpProxy(rabbit.url) as proxy:

        async def begin_and_end(subscription: Subscription, prefetch: int) -> None:
            await begin(subscription, prefetch)
            await proxy.disconnect()

        monkeypatch.setattr(Subscription, "begin", begin_and_end)
        async with opened(proxy.url, queue.topology.queue) as dead:
            with pytest.raises(BROKER_ERRORS):
                await dead.letters()


async def test_loses_nothing_when_the_connection_ends_before_a_letter_is_thrown_away(
    rabbit: RabbitNode, queue: Queue
) -> None:
    await bury(queue, "m1", "m2")
    async with TcpProxy(rabbit.url) as proxy, opened(proxy.url, queue.topology.queue) as dead:
        letters = await dead.letters()
        await proxy.disconnect()
        with pytest.raises(BROKER_ERRORS):
            await dead.discard(letters)
    assert await dead_ids(queue, 2) == ["m1", "m2"]


async def test_has_a_letter_twice_rather_than_never_when_the_connection_ends_while_it_is_put_back(
    rabbit: RabbitNode, queue: Queue
) -> None:
    await bury(queue, "m1")
    publisher = RabbitPublisher(rabbit.url, "tests", topologies=[])
    async with TcpProxy(rabbit.url) as proxy, opened(proxy.url, queue.topology.queue) as dead, publisher.running():
        await publisher.connected()
        letters = await dead.letters()
        await proxy.disconnect()
        with pytest.raises(BROKER_ERRORS):
            await dead.replay(letters, publisher)
    assert await dead_ids(queue, 1) == ["m1"]
    assert await ids_in(queue, queue.topology.queue, 1) == ["m1"]
