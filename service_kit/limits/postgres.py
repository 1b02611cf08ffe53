"""Counts in a table of PostgreSQL, so that all replicas of a service count together. Each step is one statement.

By the server's clock; what `limits` wants as an instant of this process is computed from how far away it is.
"""

import time
from datetime import datetime, timedelta
from typing import Any, Final

from limits.aio.storage import MovingWindowSupport, Storage
from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    ColumnElement,
    Executable,
    Float,
    Row,
    Table,
    case,
    cast,
    column,
    delete,
    extract,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from service_kit.limits.bucket import BucketSupport
from service_kit.problems import StoreUnavailableError

_NOW: Final[ColumnElement[datetime]] = func.clock_timestamp(type_=TIMESTAMP(timezone=True))
"""Not when the transaction began: one that waited for a row must not count with an older instant than its turn."""
_NOW_SECONDS: Final[ColumnElement[float]] = cast(extract("epoch", _NOW), Float)
_AT_ONCE: Final = 10_000


class PostgresStorage(Storage, MovingWindowSupport, BucketSupport):
    """A storage of `limits`.

    Args:
        engine: Of its database.
        table: Made by `counts_table`.
    """

    def __init__(self, engine: AsyncEngine, table: Table) -> None:
        super().__init__()
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._table = table

    @property
    def base_exceptions(self) -> type[Exception]:
        """What it raises when the server is away."""
        return StoreUnavailableError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count in the fixed window that runs, or begin one; answers the count."""
        rows = self._table.c
        new = insert(self._table).values(key=key, count=amount, ends_at=_NOW + timedelta(seconds=expiry))
        is_over = rows.ends_at <= _NOW
        counted = new.on_conflict_do_update(
            index_elements=[rows.key],
            set_={
                "count": case((is_over, amount), else_=rows.count + amount),
                "ends_at": case((is_over, new.excluded.ends_at), else_=rows.ends_at),
            },
        )
        return int((await self._one(counted.returning(rows.count)))[0])

    async def decr(self, key: str, amount: int = 1) -> None:
        """Take back what was counted in the fixed window that runs."""
        rows = self._table.c
        lower = update(self._table).where(rows.key == key, rows.ends_at > _NOW)
        await self._run(lower.values(count=func.greatest(rows.count - amount, 0)))

    async def get(self, key: str) -> int:
        """The count of the fixed window that runs."""
        rows = self._table.c
        found = await self._first(select(rows.count).where(rows.key == key, rows.ends_at > _NOW))
        return int(found[0]) if found else 0

    async def get_expiry(self, key: str) -> float:
        """When the fixed window ends."""
        return await self.bucket_full_at(key)

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Note an entry of a moving window, unless it has `limit` of them."""
        if amount > limit:
            return False
        rows = self._table.c
        entries = func.array_fill(_NOW_SECONDS, array([amount]), type_=ARRAY(Float))
        new = insert(self._table).values(key=key, entries=entries, ends_at=_NOW + timedelta(seconds=expiry))
        recent = self._recent(expiry)
        noted = new.on_conflict_do_update(
            index_elements=[rows.key],
            set_={"entries": recent.op("||")(new.excluded.entries), "ends_at": new.excluded.ends_at},
            where=func.cardinality(recent) + amount <= limit,
        )
        return await self._first(noted.returning(rows.key)) is not None

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002 - as `limits` calls it
        """The oldest entry that counts, and how many do."""
        recent = self._recent(expiry)
        query = select(recent, _NOW_SECONDS).where(self._table.c.key == key)
        found = await self._first(query)
        if found is None or not found[0]:
            return time.time(), 0
        return time.time() - (found[1] - min(found[0])), len(found[0])

    def _recent(self, expiry: int) -> ColumnElement[Any]:
        entry = func.unnest(self._table.c.entries).table_valued(column("at", Float)).render_derived("entry")
        recent = select(entry.c.at).where(entry.c.at > _NOW_SECONDS - expiry).correlate(self._table)
        return func.array(recent.scalar_subquery(), type_=ARRAY(Float))

    async def take_from_bucket(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Take, if there is so much."""
        rows = self._table.c
        taken = timedelta(seconds=amount * expiry / limit)
        full_at = func.greatest(rows.ends_at, _NOW) + taken
        took = (
            insert(self._table)
            .values(key=key, ends_at=_NOW + taken)
            .on_conflict_do_update(
                index_elements=[rows.key],
                set_={"ends_at": full_at},
                where=full_at <= _NOW + timedelta(seconds=expiry),
            )
        )
        return amount <= limit and await self._first(took.returning(rows.key)) is not None

    async def bucket_full_at(self, key: str) -> float:
        """By this process's clock."""
        away = cast(extract("epoch", self._table.c.ends_at - _NOW), Float)
        found = await self._first(select(away).where(self._table.c.key == key))
        return time.time() + (found[0] if found else 0.0)

    async def check(self) -> bool:
        """Whether the server answers."""
        await self._run(select(1))
        return True

    async def reset(self) -> int | None:
        """Forget everything."""
        return await self._run(delete(self._table))

    async def clear(self, key: str) -> None:
        """Forget one key."""
        await self._run(delete(self._table).where(self._table.c.key == key))

    async def prune(self) -> int:
        """Forget some of what says nothing any more; answers how many, at most 10,000."""
        rows = self._table.c
        old = select(rows.key).where(rows.ends_at < _NOW).limit(_AT_ONCE)
        return await self._run(delete(self._table).where(rows.key.in_(old)))

    async def _run(self, statement: Executable) -> int:
        async with self._engine.connect() as connection:
            return (await connection.execute(statement)).rowcount

    async def _first(self, statement: Executable) -> Row[*tuple[Any, ...]] | None:
        async with self._engine.connect() as connection:
            return (await connection.execute(statement)).first()

    async def _one(self, statement: Executable) -> Row[*tuple[Any, ...]]:
        async with self._engine.connect() as connection:
            return (await connection.execute(statement)).one()
