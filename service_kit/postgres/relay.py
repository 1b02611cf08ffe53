"""The relay of an outbox in PostgreSQL; it sweeps as soon as the server notifies of new entries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Table

from service_kit.messaging.broker import Broker
from service_kit.outbox.relay import Relay
from service_kit.postgres.listener import OutboxListener
from service_kit.postgres.outbox import PostgresOutbox
from service_kit.postgres.store import PostgresStore
from service_kit.resources import Resource


class OutboxRelay(Resource):
    """Publishes the entries of a store's outbox to a broker."""

    def __init__(self, store: PostgresStore, outbox: Table, broker: Broker) -> None:
        self._listener = OutboxListener(store.settings)
        self._relay = Relay(PostgresOutbox(store.engine, outbox), broker, notified=self._listener.notified)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen and relay while the block runs."""
        async with self._listener.running(), self._relay.running():
            yield
