"""COPY: the fastest way of many rows into PostgreSQL, a third of the time of an INSERT of all of them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession


async def copy_rows(
    session: AsyncSession, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Append rows to a table, within the session's transaction.

    Args:
        session: Has executed a statement in this transaction: SQLAlchemy begins it only then.
        table: Takes the rows; of any kind, a temporary one too.
        columns: Those that the rows have; the others get their default.
        rows: A value for each of the columns.
    """
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert driver is not None
    await driver.copy_records_to_table(table.name, records=rows, columns=columns)
