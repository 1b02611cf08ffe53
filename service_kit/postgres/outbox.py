"""The outbox as a table: an event is a row, stored in the transaction of the change that caused it.

The relay's changes of the table (leases, retries, deletions) are committed without waiting for the disk. If a crash
loses some of them, an event is published twice, which consumers tolerate; none is lost.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import (
    TIMESTAMP,
    UUID,
    BigInteger,
    Column,
    ColumnElement,
    Identity,
    Index,
    Integer,
    Interval,
    MetaData,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    inspect,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from service_kit.background import text_of
from service_kit.messaging.events import Event, encode_event
from service_kit.outbox.store import (
    CLAIM_BYTES,
    LEASE,
    PARKED_UNTIL,
    Backlog,
    NoOutboxError,
    OutboxEntry,
    wait_after_refusal,
)
from service_kit.postgres.engine import SERVER_NOW, make_engine
from service_kit.problems import StoreUnavailableError
from service_kit.settings.environment import load_settings
from service_kit.settings.stores import PostgresSettings

OUTBOX: Final = "outbox"
"""Name of the table, and of the channel of its notifications."""

_ASYNCHRONOUS_COMMIT: Final = text("SET LOCAL synchronous_commit TO off")

_PARKED_UNTIL: Final = literal(PARKED_UNTIL, TIMESTAMP(timezone=True))


def outbox_table(metadata: MetaData) -> Table:
    """Add the outbox to a service's tables.

    A service with large events adds `op.execute("ALTER TABLE outbox ALTER body SET STORAGE EXTERNAL")` to its revision:
    otherwise PostgreSQL compresses them, which takes 20 ms for 2 MB, although the rows soon disappear.
    """
    return Table(
        OUTBOX,
        metadata,
        Column("position", BigInteger, Identity(always=True), primary_key=True),
        Column("id", UUID(as_uuid=False), nullable=False, unique=True),
        Column("owner", Text),
        Column("topic", Text, nullable=False),
        Column("body", BYTEA, nullable=False),
        Column("due_at", TIMESTAMP(timezone=True), nullable=False),
        Column("lease", Text, nullable=False, server_default=""),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Index("outbox_due", "due_at", "position"),
        Index("outbox_owner", "owner", "position", postgresql_where=text("owner IS NOT NULL")),
    )


async def add_events(session: AsyncSession, table: Table, events: Iterable[tuple[Event, str | None]]) -> None:
    """Store events with the change that caused them, and notify the relays when it is committed.

    Args:
        session: In the change's transaction.
        table: The service's outbox.
        events: Each with its owner: events of one owner are published in the order in which they were stored, if their
            writers lock the owner's row, as an update of it does. None if they need no order.
    """
    rows = [
        {"id": event.id, "owner": owner, "topic": event.type, "body": encode_event(event)} for event, owner in events
    ]
    if rows:
        await session.execute(insert(table).inline().values(due_at=SERVER_NOW), rows)
        await notify_relays(session)


async def notify_relays(session: AsyncSession) -> None:
    """Notify the relays at the commit of the transaction, for entries that a service stores by its own statement."""
    await session.execute(select(func.pg_notify(OUTBOX, "")))


class PostgresOutbox:
    """An `OutboxStore` in one table.

    Args:
        engine: That of the database.
        table: The outbox.
        now: The clock of the server, which dates leases and retries.
    """

    def __init__(self, engine: AsyncEngine, table: Table, now: ColumnElement[datetime] = SERVER_NOW) -> None:
        self._engine = engine
        self._table = table
        self._now = now
        self._claim = _claim_of(table, now)

    async def claim(self, limit: int) -> Sequence[OutboxEntry]:
        """Lease due entries, but for those that another process has locked."""
        began, leased = monotonic(), {"limit": limit, "token": uuid4().hex}
        async with self._asynchronous_commit() as connection:
            rows = (await connection.execute(self._claim, leased)).all()
        return [_entry(row, began) for row in sorted(rows, key=lambda row: int(row.position))]

    async def clear(self, entries: Sequence[OutboxEntry]) -> None:
        """Delete confirmed entries."""
        async with self._asynchronous_commit() as connection:
            ids = [entry.id for entry in entries]
            await connection.execute(delete(self._table).where(self._table.c.id.in_(ids)))

    async def postpone(self, entries: Sequence[OutboxEntry]) -> None:
        """Schedule the next try of refused entries."""
        columns = self._table.c
        wait = bindparam("wait", type_=Interval)
        refuse = (
            update(self._table)
            .where(columns.id == bindparam("entry"), columns.lease == bindparam("token"))
            .values(due_at=func.coalesce(self._now + wait, _PARKED_UNTIL), attempts=columns.attempts + 1)
        )
        refused = [{"entry": one.id, "token": one.lease, "wait": wait_after_refusal(one)} for one in entries]
        async with self._asynchronous_commit() as connection:
            await connection.execute(refuse, refused)

    async def backlog(self) -> Backlog:
        """Count owners by their first entry, and the entries without an owner."""
        columns = self._table.c
        parked = columns.due_at >= PARKED_UNTIL
        counts = select(func.count().filter(~parked), func.count().filter(parked)).where(_is_first(self._table))
        async with self._engine.connect() as connection:
            return Backlog(*(await connection.execute(counts)).one())

    async def release_parked(self) -> int:
        """Let parked entries be tried again from the start."""
        parked = self._table.c.due_at >= PARKED_UNTIL
        async with self._engine.begin() as connection:
            result = await connection.execute(update(self._table).where(parked).values(due_at=self._now, attempts=0))
        return result.rowcount

    @asynccontextmanager
    async def _asynchronous_commit(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.begin() as connection:
            await connection.execute(_ASYNCHRONOUS_COMMIT)
            yield connection


def _entry(row: Row[Any], began: float) -> OutboxEntry:
    return OutboxEntry(row.id, row.owner, row.topic, row.body, row.due_at, row.lease, row.attempts, began)


def _is_first(table: Table) -> ColumnElement[bool]:
    """Whether no older entry of its owner waits."""
    older = table.alias("older")
    is_older = (older.c.owner == table.c.owner) & (older.c.position < table.c.position)
    return or_(table.c.owner.is_(None), ~exists().where(is_older))


def _claim_of(table: Table, now: ColumnElement[datetime]) -> Any:  # noqa: ANN401 - an update with its columns returned
    columns = table.c
    size = func.octet_length(columns.body).label("size")
    due = (
        select(columns.position, columns.due_at, size)
        .where(columns.due_at <= now, _is_first(table))
        .order_by(columns.due_at, columns.position)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True, of=table)
        .cte("due")
    )
    held = func.sum(due.c.size).over(order_by=(due.c.due_at, due.c.position))
    fitting = select(due.c.position, (held - due.c.size).label("held_before")).cte("fitting")
    fits = (columns.position == fitting.c.position) & (fitting.c.held_before < CLAIM_BYTES)
    lease = update(table).where(fits)
    return lease.values(due_at=now + LEASE, lease=bindparam("token")).returning(
        columns.position,
        *(columns.id, columns.owner, columns.topic, columns.body, columns.due_at, columns.lease, columns.attempts),
    )


@asynccontextmanager
async def outbox_at(database: str) -> AsyncIterator[PostgresOutbox]:
    """The outbox in a database of the server that the environment names, for commands.

    Raises:
        NoOutboxError: There is none, or PostgreSQL cannot be asked.
    """
    engine = make_engine(load_settings(PostgresSettings).model_copy(update={"database_name": database}))
    try:
        async with engine.connect() as connection:
            if not await connection.run_sync(lambda found: inspect(found).has_table(OUTBOX)):
                raise NoOutboxError(f"There is no outbox in the database {database!r}.")
        yield PostgresOutbox(engine, outbox_table(MetaData()))
    except (StoreUnavailableError, SQLAlchemyError) as error:
        raise NoOutboxError(
            f"PostgreSQL cannot be asked; DATABASE_URL says where it is: {text_of(error.__cause__ or error)}"
        ) from error
    finally:
        await engine.dispose()
