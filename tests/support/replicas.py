"""Two copies of the notes, each in a database of its own; what one tells is delivered to the other by hand."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from pydantic import SecretStr
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.clock import utc_now
from service_kit.messaging.events import Event, decode_event
from service_kit.postgres.engine import open_connection
from service_kit.postgres.migrations import Schema
from service_kit.postgres.store import PostgresStore
from service_kit.replication.digest import CopyDigest, copy_digest
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.replication.replicator import Replicator
from service_kit.replication.rows import FieldChanges
from service_kit.settings.stores import PostgresSettings
from tests.support.stamped_notes import NOTES, OUTBOX, NoteFields, change, metadata, notes

Change = FieldChanges[NoteFields]


class Side:
    """One service, as far as its copy goes."""

    def __init__(self, source: str, url: str) -> None:
        self.settings = PostgresSettings(database_url=SecretStr(url), database_name=f"copy_{uuid4().hex}")
        self.store = PostgresStore(self.settings, Schema(metadata, "tests.support.ledger"))
        self.merges = 0
        self.fails = False
        self.copy = replace(NOTES, events=replace(NOTES.events, source=source), after_merge=self._count_merge)
        self.clock = HybridClock(1, utc_now)
        self.sync = Replicator(self.copy, self.store, self.clock)

    async def open(self) -> None:
        server = await open_connection(self.settings, database="postgres")
        await server.execute(f"CREATE DATABASE {self.settings.database_name}")
        await server.close()
        async with self.store.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        self.store._prepared = True

    async def _count_merge(self, _: AsyncSession) -> None:
        self.merges += 1
        if self.fails:
            raise RuntimeError

    async def edit(self, changes: Sequence[Change]) -> Event:
        """Ours, and the event of it."""
        async with self.store.transaction() as session:
            await NOTES.merge(session, changes, now=utc_now())
        return self.copy.events.rows_changed(changes, at=utc_now())

    async def told(self) -> list[Event]:
        """What is in the outbox; it is empty afterwards."""
        async with self.store.transaction() as session:
            taken = (await session.execute(delete(OUTBOX).returning(OUTBOX.c.position, OUTBOX.c.body))).all()
        return [decode_event(body) for _, body in sorted(taken)]

    async def hears(self, events: Sequence[Event]) -> None:
        handlers = self.sync.handlers
        for event in events:
            await handlers(event)

    async def digest(self) -> CopyDigest:
        async with self.store.transaction() as session:
            return await copy_digest(session, notes)


def new_note(number: int) -> Change:
    return change(UUID(int=number), number, title=f"note {number}", body=None, due_on=None, deleted_at=None)
