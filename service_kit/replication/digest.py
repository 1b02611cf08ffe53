"""The digest of a replicated table: shows whether two databases hold the same rows, without sending them."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import Table, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from service_kit.postgres.store import PostgresStore


@dataclass(frozen=True, slots=True)
class CopyDigest:
    """Equal for two copies exactly when they hold the same ids with the same stamps.

    Attributes:
        count: All rows, incomplete ones too.
        digest: 32 hexadecimal digits; copies that differ share it by accident once in 2¹²⁸.
    """

    count: int
    digest: str


class SharedDigest:
    """The digest of one table for many callers: one computation at a time, on one connection.

    Callers who arrive during a computation share the next one, so no answer is older than its question.
    """

    def __init__(self, store: PostgresStore, table: Table) -> None:
        self._store = store
        self._table = table
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[CopyDigest] | None = None

    async def read(self) -> CopyDigest:
        """The digest as it is now, or a little later.

        Raises:
            StoreUnavailableError: The database is not prepared, or away (503).
        """
        if self._next is None:
            self._next = asyncio.create_task(self._compute())
        return await asyncio.shield(self._next)  # one cancelled caller leaves the computation to the others

    async def _compute(self) -> CopyDigest:
        async with self._turn:
            self._next = None
            async with self._store.transaction() as session:
                return await copy_digest(session, self._table)


async def copy_digest(connection: AsyncSession | AsyncConnection, table: Table) -> CopyDigest:
    """Compute the digest of all rows; PostgreSQL needs about a second for a million."""
    # The wire format of a value is the same in each version and on each machine. PostgreSQL's own hash would not do: it
    # folds a bigint to 32 bits, so some stamps that are close in time would have the same hash.
    row_bytes = func.uuid_send(table.c.id).op("||")(func.array_send(table.c.stamps))
    row_bits = cast(literal_column("'x'").op("||")(func.md5(row_bytes)), BIT(128))
    query = select(func.count(), cast(func.bit_xor(row_bits), Text)).select_from(table)
    count, bits = (await connection.execute(query)).one()
    return CopyDigest(count, f"{int(bits or '0', base=2):032x}")
