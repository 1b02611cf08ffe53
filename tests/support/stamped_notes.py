"""Notes, as small a stamped table as has every kind of field; all values follow from their stamps, as in real life."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType
from pydantic import BaseModel, Field
from sqlalchemy import Column, Date, DateTime, Integer, MetaData, Table, Uuid
from sqlalchemy import Text as TextColumn
from sqlalchemy.ext.asyncio import AsyncEngine

from service_kit.fields.rules import FieldRules
from service_kit.postgres.engine import make_engine, open_connection
from service_kit.postgres.inbox import inbox_table
from service_kit.postgres.outbox import outbox_table
from service_kit.replication.columns import stamped_columns
from service_kit.replication.events import ReplicationEvents
from service_kit.replication.hybrid_clock import stamp_text
from service_kit.replication.rows import FieldChanges, Instant, StampedRow, Text
from service_kit.replication.rules import ChangeRules
from service_kit.replication.state import copy_state_table
from service_kit.replication.table import ReplicatedTable
from service_kit.settings.stores import PostgresSettings


class NoteFields(msgspec.Struct, frozen=True):
    title: Text | UnsetType = UNSET
    body: Text | UnsetType | None = UNSET
    due_on: date | UnsetType | None = UNSET
    deleted_at: Instant | UnsetType | None = UNSET


NAMES = NoteFields.__struct_fields__
IDS = [UUID(int=number) for number in (1, 2, 3)]

metadata = MetaData()
notes = Table(
    "notes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", TextColumn),
    Column("body", TextColumn),
    Column("due_on", Date),
    Column("deleted_at", DateTime(timezone=True)),
    *stamped_columns(NoteFields),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
OUTBOX, INBOX, COPY_STATE = outbox_table(metadata), inbox_table(metadata), copy_state_table(metadata)


class NoteRules(BaseModel):
    title: Annotated[str, Field(min_length=1)]


NOTES = ReplicatedTable(
    rows=notes,
    fields=NoteFields,
    rules=ChangeRules(fields=FieldRules(NoteRules), owner=1, owned=frozenset(), ownership="", created="title"),
    events=ReplicationEvents(
        source="/notes", changed="note.changed", copy_requested="note.copy_requested", compared="note.copy_digest"
    ),
    outbox=OUTBOX,
    inbox=INBOX,
    state=COPY_STATE,
)


def value_at(name: str, stamp: int) -> object:
    """What an edit of that stamp sets; each field but the title sometimes to nothing."""
    if stamp == 0 or (name != "title" and stamp % 3 == 0):
        return None
    kinds = {"due_on": date(2026, 1, 1) + timedelta(stamp), "deleted_at": datetime(2026, 1, stamp, tzinfo=UTC)}
    return kinds.get(name, f"{name} {stamp}")


def note(row_id: UUID, *stamps: int) -> StampedRow:
    values = tuple(value_at(name, stamp) for name, stamp in zip(NAMES, stamps, strict=True))
    return StampedRow(row_id, values, stamps)


def change(row_id: UUID, stamp: int, **fields: Any) -> FieldChanges[NoteFields]:  # noqa: ANN401 - as the struct
    return FieldChanges(row_id, stamp_text(stamp), NoteFields(**fields))


any_stamp = st.integers(0, 6)


def copies_of(ids: st.SearchStrategy[UUID]) -> st.SearchStrategy[StampedRow]:
    return st.builds(note, ids, *[any_stamp] * len(NAMES))


@asynccontextmanager
async def notes_database(settings: PostgresSettings) -> AsyncIterator[AsyncEngine]:
    """A new database with an empty table of notes."""
    server = await open_connection(settings, database="postgres")
    await server.execute(f"CREATE DATABASE {settings.database_name}")
    await server.close()
    engine = make_engine(settings)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield engine
    await engine.dispose()
