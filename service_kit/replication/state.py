"""What the processes of a service know together of its replication: who publishes all rows, how the digests compare.

One row in a table of its own. All times are the server's.
"""

from typing import Any, Final

from sqlalchemy import TIMESTAMP, UUID, Column, Integer, MetaData, Row, Table, Text, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.postgres.engine import SERVER_NOW

_SLOT: Final = 1


def copy_state_table(metadata: MetaData) -> Table:
    """Add the table to those of a service."""
    instant = TIMESTAMP(timezone=True)
    return Table(
        "copy_state",
        metadata,
        Column("slot", Integer, primary_key=True, autoincrement=False),
        # Requests for all rows: the first one not yet answered; since when an answer is under way, the lease of the
        # process that gives it, and the last row published; when the last answer was complete.
        Column("asked_at", instant),
        Column("telling_since", instant),
        Column("telling_until", instant),
        Column("told_up_to", UUID),
        Column("told_at", instant),
        # The comparison: when the digest is published next; the two digests that differed last, how often in a row any
        # have differed, and how often those two; resyncs since the copies were equal, and when the next one may be.
        Column("compare_at", instant),
        Column("difference", Text),
        *(_count(name) for name in ("times_differed", "times_unchanged", "resyncs")),
        Column("resync_at", instant),
        _count("rows_ahead"),
    )


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


async def locked_state(session: AsyncSession, table: Table) -> Row[Any]:
    """The row, locked until the transaction ends, with `now` as the server has it."""
    await session.execute(insert(table).values(slot=_SLOT).on_conflict_do_nothing())
    row = select(table, SERVER_NOW.label("now")).where(table.c.slot == _SLOT).with_for_update()
    return (await session.execute(row)).one()


async def read_state(session: AsyncSession, table: Table) -> Row[Any] | None:
    """The row; None if nothing was ever written to it."""
    row = select(table, SERVER_NOW.label("now")).where(table.c.slot == _SLOT)
    return (await session.execute(row)).one_or_none()


async def set_state(session: AsyncSession, table: Table, **changes: object) -> None:
    await session.execute(update(table).where(table.c.slot == _SLOT).values(**changes))
