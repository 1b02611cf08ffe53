"""The digest of a stamped table: whether two databases hold the same copy, without moving it."""

from dataclasses import dataclass

from sqlalchemy import Table, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession


@dataclass(frozen=True, slots=True)
class CopyDigest:
    """Equal for two copies exactly when they hold the same ids with the same stamps.

    Attributes:
        count: All rows, incomplete ones too.
        digest: 32 hexadecimal digits; copies that differ share it by accident once in 2¹²⁸.
    """

    count: int
    digest: str


async def copy_digest(connection: AsyncSession | AsyncConnection, table: Table) -> CopyDigest:
    """Of all rows in whatever order; PostgreSQL needs about a second for a million."""
    # Of the wire forms, the same in each version and on each machine. PostgreSQL's own hash would not do: it folds a
    # bigint to 32 bits, and so takes some stamps of neighbouring moments for the same.
    row_bytes = func.uuid_send(table.c.id).op("||")(func.array_send(table.c.stamps))
    row_bits = cast(literal_column("'x'").op("||")(func.md5(row_bytes)), BIT(128))
    query = select(func.count(), cast(func.bit_xor(row_bits), Text)).select_from(table)
    count, bits = (await connection.execute(query)).one()
    return CopyDigest(count, f"{int(bits or '0', base=2):032x}")
