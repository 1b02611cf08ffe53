"""The version of a list: a number that every committed change increases.

So an unchanged list is recognised without reading its rows. A sequence would not do: it increases before its change is
visible, and a reader in between would cache the old list under the new number. A single counter would make all writers
wait for each other, so there are 64, and the version is their sum.
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
    """Count the change of the running transaction. Do it last, because the slot stays locked until the commit."""
    first = insert(table).values(slot=func.pg_backend_pid() % _SLOTS, count=1)
    again = first.on_conflict_do_update(index_elements=["slot"], set_={"count": table.c.count + 1})
    await session.execute(again)


async def list_version(session: AsyncSession, table: Table) -> int:
    """Read the version. Do it before reading the rows, so that they are at least as new as the version."""
    total = await session.scalar(select(func.coalesce(func.sum(table.c.count), 0)))
    return int(total or 0)
