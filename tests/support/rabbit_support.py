"""What the tests of the broker half stand on: a queue of their own, and handlers that watch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aio_pika
import aiormq.abc
import msgspec
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelNotFoundEntity
from pamqp.commands import Basic

from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.messaging.events import Event, encode_event, new_event
from service_kit.rabbit.consumer import Consumer
from service_kit.rabbit.topology import QueueTopology

PATIENCE_SECONDS = 60.0
EVENT_TYPE = "thing.happened"


class Thing(msgspec.Struct, frozen=True):
    name: str


def thing_happened(name: str = "one") -> Event:
    return new_event(EVENT_TYPE, "/tests", Thing(name), at=datetime(2026, 1, 1, tzinfo=UTC))


def name_of(event: Event) -> str:
    return msgspec.json.decode(event.data, type=Thing).name


async def rabbitmqctl(node: RabbitNode, *arguments: str) -> str:
    """Ask a node by its own command; what it prints."""
    process = await asyncio.create_subprocess_exec(
        "/usr/lib/rabbitmq/bin/rabbitmqctl",
        *("--quiet", "--node", "dev_stack@localhost", *arguments),
        env=node._environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def until(condition: Callable[[], bool | Awaitable[bool]], *, within: float = PATIENCE_SECONDS) -> None:
    """Wait until something has become true that offers nothing to wait on."""
    async with asyncio.timeout(within):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)


@dataclass
class Queue:
    """A queue of one test's own, with its dead queue and its ladder."""

    topology: QueueTopology
    channel: AbstractChannel
    underlay: aiormq.abc.AbstractChannel

    async def put(self, body: bytes, *, into: str | None = None, **properties: Any) -> None:  # noqa: ANN401 - as AMQP
        """Send a message as any AMQP client might."""
        await self.underlay.basic_publish(
            body,
            routing_key=into or self.topology.queue,
            properties=Basic.Properties(**properties),
            mandatory=True,
        )

    async def put_events(self, *events: Event) -> None:
        await asyncio.gather(*(self.put(encode_event(event), message_id=event.id) for event in events))

    async def count(self, queue: str | None = None) -> int:
        """Messages that are ready; -1 if there is no such queue."""
        connection = self.channel._connection  # type: ignore[attr-defined]  # a 404 closes the channel it happens on
        async with await connection.channel() as channel:
            try:
                found = await channel.declare_queue(queue or self.topology.queue, passive=True)
            except ChannelNotFoundEntity:
                return -1
            return found.declaration_result.message_count or 0

    async def count_dead(self) -> int:
        return await self.count(self.topology.dead_queue)

    async def take(self, queue: str | None = None) -> aiormq.abc.DeliveredMessage:
        """Take one message out, waiting for it."""
        while True:
            message = await self.underlay.basic_get(queue or self.topology.queue, no_ack=True)
            if isinstance(message.delivery, Basic.GetOk):
                return message
            await asyncio.sleep(0.01)

    async def take_dead(self) -> aiormq.abc.DeliveredMessage:
        return await self.take(self.topology.dead_queue)

    async def delete(self, queue: str | None = None) -> None:
        await self.channel.queue_delete(queue or self.topology.queue)


@asynccontextmanager
async def own_queue(
    url: str, *, retry_seconds: tuple[int, ...] = (1, 1, 1), crash_limit: int = 100
) -> AsyncIterator[Queue]:
    """A queue under a name of its own, declared; gone afterwards."""
    name = f"t{uuid4().hex[:12]}"
    topology = QueueTopology(name, topics=(f"{name}.*",), retry_seconds=retry_seconds, crash_limit=crash_limit)
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(on_return_raises=True)
        await topology.declare(channel)
        try:
            yield Queue(topology, channel, await channel.get_underlay_channel())
        finally:
            waiting = {topology.retry_queue(seconds) for seconds in topology.retry_seconds}
            async with await connection.channel() as broom:
                for queue in (topology.queue, topology.dead_queue, *waiting):
                    await broom.queue_delete(queue)


@dataclass
class Witness:
    """A handler that remembers what it handled, and fails as often as it is told.

    Attributes:
        handled: Names of the things handled, in order.
        tries: How often it was called.
        failures: How many of the next calls fail.
        gate: While it is closed, a call waits before its effect.
    """

    handled: list[str] = field(default_factory=list)
    tries: int = 0
    failures: float = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, event: Event) -> None:
        self.tries += 1
        await self.gate.wait()
        if self.failures > 0:
            self.failures -= 1
            raise RuntimeError("the store is away")
        self.handled.append(name_of(event))

    async def has_handled(self, *names: str) -> None:
        """Wait until all of them are handled."""
        await until(lambda: set(names) <= set(self.handled))

    async def is_at_work(self) -> None:
        """Wait until a call stands at the gate."""
        await until(lambda: self.tries > len(self.handled))


@asynccontextmanager
async def consuming(consumer: Consumer) -> AsyncIterator["asyncio.Task[None]"]:
    """Run a consumer while the block runs, then stop it in order; yields its task."""
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(stop))
    try:
        yield running
        stop.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def is_consuming(consumer: Consumer) -> bool:
    try:
        await consumer.check()
    except ConnectionError:
        return False
    return True
