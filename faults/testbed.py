"""Where a scenario takes place: real servers and services of its own, and a proxy between the relay and the broker."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aio_pika
from aio_pika.exceptions import ChannelNotFoundEntity
from pymongo import MongoClient
from pymongo.collection import Collection

from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from dev_stack.servers.rabbitmq import RabbitNode
from dev_stack.servers.server import Server
from faults.consumer_output import Told
from faults.servers import Servers, start_all
from orders_service.config.rabbit import ORDERS_QUEUE
from service_kit.outbox.store import PARKED_UNTIL
from tests.support.system import ServiceProcess
from tests.support.tcp_proxy import TcpProxy

DATABASE: Final = "faults"
CONNECTIONS: Final = 64
"""So many one orders_service takes: several times what the callers need."""
_SILENCE_SECONDS: Final = 1.0


class RelayProxy(TcpProxy):
    """One whose far end may be away: the caller is then turned off, as by a closed port."""

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await super()._carry(reader, writer)
        except OSError:
            writer.transport.abort()


@dataclass(kw_only=True)
class Site(Servers):
    """The servers and services of one scenario.

    Attributes:
        documents: The orders in the store, seen from outside.
    """

    proxy: RelayProxy
    orders: list[ServiceProcess]
    consumers: list[ServiceProcess]
    told: Told
    documents: Collection[dict[str, Any]]

    @property
    def services(self) -> list[ServiceProcess]:
        return [*self.orders, *self.consumers]

    @property
    def urls(self) -> list[str]:
        return [service.url for service in self.orders]

    async def kill(self, server: Server) -> None:
        if server in self.consumers:
            self.told.note_kill(self.consumers.index(server))
        await super().kill(server)

    def orders_in_store(self) -> set[str]:
        return {str(order["_id"]) for order in self.documents.find({}, {"_id": 1})}

    def waiting_events(self, most: int = 1_000_000) -> int:
        """Events that wait in the outbox; `most` spares the store from counting further."""
        return self.documents.count_documents({"outbox.0.due_at": {"$lte": PARKED_UNTIL}}, limit=most)

    async def queued(self) -> int:
        """Messages that wait for a consumer, or for their next try."""
        retries = [ORDERS_QUEUE.retry_queue(seconds) for seconds in ORDERS_QUEUE.retry_seconds]
        return sum([await self.count(queue) for queue in (ORDERS_QUEUE.queue, *retries)])

    async def count(self, queue: str) -> int:
        """Messages that are ready in a queue; -1 if there is none."""
        async with await aio_pika.connect(self.broker.url) as connection, connection.channel() as channel:
            try:
                found = await channel.declare_queue(queue, passive=True)
            except ChannelNotFoundEntity:
                return -1
            return found.declaration_result.message_count or 0

    async def is_drained(self) -> bool:
        """Whether no message waits, and nobody has told anything for a second."""
        return time.monotonic() - self.told.last_at > _SILENCE_SECONDS and await self.queued() == 0

    async def is_quiet(self) -> bool:
        """Whether nothing waits anywhere."""
        return await asyncio.to_thread(self.waiting_events) == 0 and await self.is_drained()


@asynccontextmanager
async def opened(
    folder: Path, *, orders: int = 1, consumers: int = 1, last_order: Mapping[str, str] | None = None
) -> AsyncIterator[Site]:
    """A site with so many replicas of each service, all ready; every process has ended afterwards.

    Args:
        folder: For the data and the logs of all.
        orders: Replicas of orders_service.
        consumers: Replicas of notifications_service.
        last_order: What the environment of the last orders_service holds beside what all have.
    """
    async with AsyncExitStack() as stack:
        store, broker = Mongod(folder / "mongod", free_port()), RabbitNode(folder / "rabbit", free_port())
        proxy = RelayProxy(broker.url)
        await start_all(stack, store, broker)
        await stack.enter_async_context(proxy)
        shared = {"MONGODB_URI": store.url, "MONGODB_DATABASE": DATABASE, "MAX_CONNECTIONS": str(CONNECTIONS)}
        apis = [
            ServiceProcess(folder / f"orders_{n}", "orders_service", RABBITMQ_URL=proxy.url, **shared)
            for n in range(orders)
        ]
        apis[-1].settings.update(last_order or {})
        workers = [
            ServiceProcess(folder / f"notifications_{n}", "notifications_service", RABBITMQ_URL=broker.url)
            for n in range(consumers)
        ]
        told = Told([worker.log for worker in workers])
        client = stack.enter_context(MongoClient[dict[str, Any]](store.url))
        site = Site(
            store=store,
            broker=broker,
            proxy=proxy,
            orders=apis,
            consumers=workers,
            told=told,
            documents=client[DATABASE].orders,
        )
        await start_all(stack, *apis, *workers)
        await stack.enter_async_context(told)
        keeping = asyncio.create_task(site.keep_services_running())
        try:
            yield site
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
