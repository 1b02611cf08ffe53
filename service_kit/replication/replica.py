"""Two services, each with its own copy of the same stamped rows, kept equal by events: what such a copy is.

Whoever edits a row states what has changed; whoever hears it merges it, and says nothing in turn. A copy that was lost
is told anew, when it asks the other side for all of its rows. What a merge means is told by
`service_kit.replication.rows`; what is heard and told, by `service_kit.replication.replicator`.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, Select, Table, any_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.messaging.events import Event, new_event
from service_kit.replication.rows import FieldChanges, Fields, RowsChanged

CHUNK: Final = 500
"""Rows an event, at most."""

Check = Callable[[FieldChanges[Fields]], str | None]
"""Says which rule of the API a foreign change breaks, in a sentence without anybody's data; None if it breaks none."""

Merge = Callable[[AsyncSession, Sequence[FieldChanges[Fields]], datetime], Awaitable[None]]
"""Merges changes into the service's rows, and does locally what follows from that; never writes the outbox."""


class CopyRequested(msgspec.Struct, frozen=True):
    """Somebody may have lost rows: whoever hears it tells all of its own."""


class DigestTold(msgspec.Struct, frozen=True):
    """What the other side holds, in short: see `service_kit.replication.digest`."""

    count: int
    digest: str


Wall = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Replica(Generic[Fields]):
    """What one service holds of the rows.

    Attributes:
        source: Who we are in events: `/passengers_service`.
        changed: Type of the event that tells changes: `passenger.changed`.
        copy_requested: Type of the event that asks for all rows: `passenger.copy_requested`.
        compared: Type of the event that tells our digest: `passenger.copy_digest`.
        rows: The table.
        fields: Its stamped fields.
        merge: How changes get into it.
        check: What a foreign change has to obey.
        kept: The field that, once it is set, nobody takes away: that of a deletion.
        outbox: Where our events wait.
        inbox: Which of theirs we know.
        state: What our replicas know together of the copy.
    """

    source: str
    changed: str
    copy_requested: str
    compared: str
    rows: Table
    fields: type[Fields]
    merge: Merge[Fields]
    check: Check[Fields]
    kept: str
    outbox: Table
    inbox: Table
    state: Table

    def changed_event(self, changes: Sequence[FieldChanges[Fields]], *, at: datetime) -> Event:
        """State what has changed, in at most 500 rows."""
        return new_event(self.changed, self.source, RowsChanged(list(changes)), at=at)

    def copy_request_event(self, *, at: datetime) -> Event:
        """Ask the other side for all of its rows."""
        return new_event(self.copy_requested, self.source, CopyRequested(), at=at)

    def digest_told(self, ours: DigestTold, *, at: datetime) -> Event:
        """State what we hold."""
        return new_event(self.compared, self.source, ours, at=at)

    def gone(self, ids: Collection[UUID]) -> Select[tuple[UUID, int]]:
        """Those of the rows that are deleted, each with the stamp of its deletion."""
        columns, place = self.rows.c, self.fields.__struct_fields__.index(self.kept)
        stamp = columns.stamps[place + 1].label("stamp")
        one_array = literal(list(ids), ARRAY(columns.id.type))  # 500 parameters would take longer than the query
        return select(columns.id, stamp).where(columns.id == any_(one_array), columns[self.kept].is_not(None))

    def chunk_after(self, last: UUID | None) -> Select[Any]:
        """The next rows in the order of their ids: id, fields, stamps."""
        columns, names = self.rows.c, self.fields.__struct_fields__
        chunk = select(columns.id, *(columns[name] for name in names), columns.stamps).order_by(columns.id).limit(CHUNK)
        return chunk if last is None else chunk.where(columns.id > last)
