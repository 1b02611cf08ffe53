"""What goes wrong. Each fault does its harm and mends it again, while the callers go on."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from random import Random
from typing import Final

import aio_pika

from dev_stack.servers.rabbitmq import RabbitNode
from dev_stack.servers.server import Server
from faults.servers import Servers, until
from faults.testbed import CONNECTIONS, Site
from orders_service.config.rabbit import ORDERS_QUEUE

Fault = Callable[[Site, Random], Awaitable[None]]

_LONGEST_ABSENCE_SECONDS: Final = 2.0
_LONGEST_WORK_SECONDS: Final = 0.1


async def broker_stopped(site: Servers, random: Random) -> None:
    """RabbitMQ is stopped in order, and started again."""
    await site.stop(site.broker)
    await _a_moment(random)
    await site.start(site.broker)


async def broker_killed(site: Servers, random: Random) -> None:
    """RabbitMQ is killed, and started again."""
    await _until_remembered(site.broker)
    await site.kill(site.broker)
    await _a_moment(random)
    await site.start(site.broker)


async def store_killed(site: Servers, random: Random) -> None:
    """The database is killed, and started again."""
    await site.kill(site.store)
    await _a_moment(random)
    await site.start(site.store)


async def orders_killed(site: Site, random: Random) -> None:
    """One orders_service is killed, and started again."""
    await killed(site, random.choice(site.orders), random)


async def consumer_killed(site: Site, random: Random) -> None:
    """One notifications_service is killed while it works off what has gathered before it, and started again."""
    consumer = random.choice(site.consumers)
    with frozen([consumer]):
        await _a_moment(random)
    await site.told.more()
    await asyncio.sleep(random.uniform(0, _LONGEST_WORK_SECONDS))
    await killed(site, consumer, random)


async def one_of_each_killed(site: Site, random: Random) -> None:
    """One orders_service and one notifications_service are killed, and started again."""
    await asyncio.gather(orders_killed(site, random), consumer_killed(site, random))


async def confirm_lost(site: Site, random: Random) -> None:
    """The broker takes what the relay sends, but its answers never come, and then the connection breaks."""
    await site.told.more()  # the relay is connected again
    site.proxy.hold_responses()
    await site.told.more()
    await _a_moment(random)
    await site.proxy.disconnect()
    await site.proxy.restore()


async def silent_crowd(site: Site, random: Random) -> None:
    """Twice as many connections as one orders_service takes are opened, and say nothing for a while."""
    service = random.choice(site.orders)
    async with AsyncExitStack() as crowd:
        for _ in range(2 * CONNECTIONS):
            _, writer = await asyncio.open_connection("127.0.0.1", service.port)
            crowd.callback(writer.close)
        await _a_moment(random)
        await site.told.more()


async def queue_deleted(site: Site, _random: Random) -> None:
    """Somebody deletes `orders_queue`, and relay or consumer makes it again."""
    await _delete_queue(site, is_made_again=False)


async def queue_replaced(site: Site, _random: Random) -> None:
    """Somebody deletes `orders_queue` and makes it again in the same instant, so that its consumer hears of nothing."""
    await _delete_queue(site, is_made_again=True)
    await site.told.more()


async def _delete_queue(site: Site, *, is_made_again: bool) -> None:
    # What lies in a queue dies with it, and no sender can know: so it is deleted in a moment in which it is empty. The
    # relays, frozen for that moment, then publish into nothing.
    with frozen(site.orders):
        if not await until(site.is_drained):
            return
        async with await aio_pika.connect(site.broker.url) as connection, connection.channel() as channel:
            await channel.queue_delete(ORDERS_QUEUE.queue)
            if is_made_again:
                await ORDERS_QUEUE.declare(channel)


async def _until_remembered(broker: RabbitNode) -> None:
    """Wait until the node would find its queues again after a kill, see `RabbitNode.remembers`."""
    [names] = broker.folder.glob("mnesia/*/quorum/*/names.dets")

    async def are_remembered() -> bool:
        known = names.read_bytes()
        return all(queue.name.encode() in known for queue in names.parent.iterdir() if queue.is_dir())

    await until(are_remembered)


async def killed(site: Servers, server: Server, random: Random) -> None:
    """One process is killed, and started again."""
    await site.kill(server)
    await _a_moment(random)
    await site.start(server)


async def _a_moment(random: Random) -> None:
    await asyncio.sleep(random.uniform(0, _LONGEST_ABSENCE_SECONDS))


@contextmanager
def frozen(servers: Sequence[Server]) -> Iterator[None]:
    """Let processes stand still while the block runs."""
    for server in servers:
        os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for server in servers:
            os.kill(server.pid, signal.SIGCONT)
