"""Where it is measured: embedded servers of the run's own, and the processes on them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import aio_pika
from pymongo import MongoClient
from pymongo.collection import Collection

from benchmarks.harness.processes import Contender, node, ours, python
from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from dev_stack.servers.postgres import Postgres
from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.rabbit.topology import QueueTopology

ORDERS_QUEUE: Final = QueueTopology(queue="orders_queue", topics=("order.*",))

Documents = Collection[dict[str, Any]]


@dataclass(frozen=True)
class Site:
    """One run's servers.

    Attributes:
        folder: For data and output; gone afterwards.
        mongod: The store of documents.
        rabbit: The broker of all.
        postgres: The store of tables.
        rounds: How often each contender is measured, after a warm-up.
        say: Tells the progress.
    """

    folder: Path
    mongod: Mongod
    rabbit: RabbitNode
    postgres: Postgres
    rounds: int
    say: Callable[[str], None]
    _processes: ExitStack

    def ours(self, service: str, name: str = "ours", **settings: str) -> Contender:
        """One of our services, running until the row ends."""
        return self._started(ours(self.folder / f"{service}-{name}", service, **self._addresses(name), **settings))

    def python(self, module: str, name: str, *arguments: str, **settings: str) -> Contender:
        """A Python module, running until the row ends."""
        return self._started(python(self.folder / name, module, *arguments, **self._addresses(name), **settings))

    def node(self, script: Path, name: str, **settings: str) -> Contender:
        """A script for Node, running until the row ends."""
        return self._started(node(self.folder / name, script, **self._addresses(name), **settings))

    def collection(self, database: str, name: str = "orders") -> Documents:
        """Documents of a contender, seen from outside."""
        client: MongoClient[dict[str, Any]] = self._processes.enter_context(MongoClient(self.mongod.url))
        return client[database][name]

    def empty_queue(self) -> None:
        """Make `orders_queue`, or empty it, so that every round finds the same."""
        asyncio.run(self._empty_queue())

    async def _empty_queue(self) -> None:
        async with await aio_pika.connect(self.rabbit.url) as connection:
            channel = await connection.channel()
            await ORDERS_QUEUE.declare(channel)
            await (await channel.declare_queue(ORDERS_QUEUE.queue, passive=True)).purge()

    def _addresses(self, database: str) -> dict[str, str]:
        return {
            "MONGODB_URI": self.mongod.url,
            "MONGODB_DATABASE": database,
            "RABBITMQ_URL": self.rabbit.url,
            "DATABASE_URL": self.postgres.url,
            "DATABASE_NAME": database,
        }

    def _started(self, process: Contender) -> Contender:
        return self._processes.enter_context(process)


@contextmanager
def open_site(rounds: int, say: Callable[[str], None]) -> Iterator[Site]:
    """Start the servers, and end all when the row is done."""
    with TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        folder = Path(name)
        mongod = stack.enter_context(Mongod(folder / "mongod", free_port()))
        rabbit = stack.enter_context(RabbitNode(folder / "rabbit", free_port()))
        postgres = stack.enter_context(Postgres(folder / "postgres", free_port(), temporary=True))
        processes = stack.enter_context(ExitStack())
        site = Site(folder, mongod, rabbit, postgres, rounds, say, processes)
        site.empty_queue()
        yield site
