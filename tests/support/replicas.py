"""Two copies of the notes, each in a database of its own; what one tells is delivered to the other by hand."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from pydantic import SecretStr
from sqlalchemy import MetaData, delete
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.clock import utc_now
from service_kit.messaging.events import Event, decode_event
from service_kit.postgres.engine import open_connection
from service_kit.postgres.inbox import inbox_table
from service_kit.postgres.migrations import Schema
from service_kit.postgres.outbox import outbox_table
from service_kit.postgres.store import PostgresStore
from service_kit.replication.digest import CopyDigest, copy_digest
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.replication.replica import Replica
from service_kit.replication.replicator import Replicator
from service_kit.replication.rows import FieldChanges
from service_kit.replication.state import copy_state_table
from service_kit.replication.table import ReplicatedTable
from service_kit.settings import PostgresSettings
from tests.support.stamped_notes import NoteFields, change, notes

METADATA = MetaData()
NOTES = notes.to_metadata(METADATA)
OUTBOX, INBOX, COPY_STATE = outbox_table(METADATA), inbox_table(METADATA), copy_state_table(METADATA)
ROWS = ReplicatedTable(NOTES, NoteFields, on_update={"version": NOTES.c.version + 1}, local=["updated_at"])

Change = FieldChanges[NoteFields]


class Side:
    """One service, as far as its copy goes."""

    def __init__(self, source: str, url: str) -> None:
        self.settings = PostgresSettings(database_url=SecretStr(url), database_name=f"copy_{uuid4().hex}")
        self.store = PostgresStore(self.settings, Schema(METADATA, "tests.support.ledger"))
        self.merges = 0
        self.fails = False
        self.copy = Replica(
            source=source,
            changed="note.changed",
            copy_requested="note.copy_requested",
            compared="note.copy_digest",
            rows=NOTES,
            fields=NoteFields,
            merge=self.merge,
            check=lambda change: "a title is not empty" if change.fields.title == "" else None,
            kept="deleted_at",
            outbox=OUTBOX,
            inbox=INBOX,
            state=COPY_STATE,
        )
        self.clock = HybridClock(1, utc_now)
        self.sync = Replicator(self.copy, self.store, self.clock)

    async def open(self) -> None:
        server = await open_connection(self.settings, database="postgres")
        await server.execute(f"CREATE DATABASE {self.settings.database_name}")
        await server.close()
        async with self.store.engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        self.store._prepared = True

    async def merge(self, session: AsyncSession, changes: Sequence[Change], now: datetime) -> None:
        self.merges += 1
        await ROWS.merge(session, changes, updated_at=now)
        if self.fails:
            raise RuntimeError

    async def edit(self, changes: Sequence[Change]) -> Event:
        """Ours, and the event of it."""
        async with self.store.transaction() as session:
            await ROWS.merge(session, changes, updated_at=utc_now())
        return self.copy.changed_event(changes, at=utc_now())

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
            return await copy_digest(session, NOTES)


def new_note(number: int) -> Change:
    return change(UUID(int=number), number, title=f"note {number}", body=None, due_on=None, deleted_at=None)
