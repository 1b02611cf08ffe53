"""Replication as a service runs it: one replicated table on one database, and what works on it in the background."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Generic

from service_kit.clock import utc_now
from service_kit.messaging.dispatcher import EventDispatcher
from service_kit.postgres.inbox import InboxPruning
from service_kit.postgres.store import PostgresStore
from service_kit.replication.digest import SharedDigest
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.replication.replicator import Replicator
from service_kit.replication.rows import Fields
from service_kit.replication.settings import SyncSettings
from service_kit.replication.table import ReplicatedTable
from service_kit.replication.watch import CopyWatch
from service_kit.resources import Check, Resource


class Replication(Resource, Generic[Fields]):
    """Keeps one table equal with the other service's.

    Args:
        table: What is replicated.
        store: Where it is.
        settings: How far stamps may lie ahead, and how often the two sides are compared.
        node: Which of the two sides this is.

    Attributes:
        clock: Stamps the edits of this side.
        digest: Of the table, for all who ask.
    """

    def __init__(
        self, table: ReplicatedTable[Fields], store: PostgresStore, settings: SyncSettings, *, node: int
    ) -> None:
        self.table = table
        self.store = store
        self.clock = HybridClock(node, utc_now, settings.max_clock_ahead)
        self.digest = SharedDigest(store, table.rows)
        self._replicator = Replicator(table, store, self.clock, compare_every=settings.sync_check)
        self._watch = CopyWatch(self._replicator)
        self._pruning = InboxPruning(store.engine, table.inbox)

    @property
    def handlers(self) -> EventDispatcher:
        """For the consumer of the service's queue."""
        return self._replicator.handlers

    @property
    def checks(self) -> Sequence[Check]:
        return self._watch.checks

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Compare, repair and answer the other side while the block runs; forget old entries of the inbox."""
        async with self._pruning.running(), self._watch.running():
            yield
