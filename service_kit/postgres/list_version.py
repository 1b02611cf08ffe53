"""The version of a list: a number that every committed change increases.

So a list that has not changed is known without reading its rows.
A sequence would not do: it moves before its change can be seen, and a reader in between would keep the old list under
the new number. One counter alone would make all writers wait for each other: so there are 64, and the version is
their sum.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

_SLOTS: Final = 64


def list_version_table(metadata: MetaData) -> Table:
    """Add the counters to a service's tables."""
    return Table(
        "list_version",
        metadata,
        Column("slot", Integer, primary_key=True, autoincrement=False),
        Column("count", BigInteger, nullable=False),
    )


async def count_change(session: AsyncSession, table: Table) -> None:
    """Count the change of the running transaction; its last statement, because the slot is locked until it commits."""
    first = insert(table).values(slot=func.pg_backend_pid() % _SLOTS, count=1)
    again = first.on_conflict_do_update(index_elements=["slot"], set_={"count": table.c.count + 1})
    await session.execute(again)


async def list_version(session: AsyncSession, table: Table) -> int:
    """The version; to be read before the rows, which then are at least as new."""
    total = await session.scalar(select(func.coalesce(func.sum(table.c.count), 0)))
    return int(total or 0)
