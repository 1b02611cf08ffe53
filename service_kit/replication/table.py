"""Stamped rows in a PostgreSQL table: its columns, the lock of an edit, and the merge of whole batches.

What a merge means is told by `service_kit.replication.rows`; here PostgreSQL does the same, in one statement. It must
be 16 or newer, and needs no extension.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import NoneType
from typing import Any, Generic, get_args, get_type_hints
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, BigInteger, Boolean, CheckConstraint, Column, ColumnElement, Computed, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.schema import SchemaItem

from service_kit.replication.rows import FieldChanges, Fields, StampedRow, rows_of
from service_kit.replication.upsert import parameters, upsert

Connection = AsyncSession | AsyncConnection


def stamped_columns(fields: type[msgspec.Struct]) -> Sequence[SchemaItem]:
    """What a table needs beside `id` and the fields: `stamps`, `is_complete`, and their checks.

    A row is incomplete when an edit has come before its creation: so the column of each field must be nullable. A
    complete row has all fields whose type has no None.
    """
    names = fields.__struct_fields__
    hints = get_type_hints(fields)
    required = ", ".join(name for name in names if NoneType not in get_args(hints[name]))
    whole = f"cardinality(stamps) = {len(names)} AND array_position(stamps, NULL) IS NULL"
    return (
        Column("stamps", ARRAY(BigInteger), nullable=False),
        Column("is_complete", Boolean, Computed("0 <> ALL (stamps)", persisted=True), nullable=False),
        CheckConstraint(whole, name="stamps_are_whole"),
        CheckConstraint(f"NOT is_complete OR num_nulls({required}) = 0", name="complete_has_required"),
    )


class ReplicatedTable(Generic[Fields]):
    """The stamped rows of one table.

    Args:
        table: Has `id uuid` as its key, a column for each of the fields, and the `stamped_columns`.
        fields: Names them, in the order of the stamps.
        on_update: Local columns that only a change of a row sets: `{"version": table.c.version + 1}`.
        local: Local columns to which each merge gives one value for all rows that it makes or changes.
    """

    def __init__(
        self,
        table: Table,
        fields: type[Fields],
        *,
        on_update: Mapping[str, ColumnElement[Any]] | None = None,
        local: Collection[str] = (),
    ) -> None:
        self._table = table
        self._names = fields.__struct_fields__
        self._upsert = upsert(table, self._names, on_update or {}, local)

    async def locked(self, connection: Connection, row_id: UUID) -> StampedRow | None:
        """One row, locked until the transaction ends: without that lock nobody may stamp an edit of it."""
        columns = self._table.c
        fields = select(*(columns[name] for name in self._names), columns.stamps).where(columns.id == row_id)
        row = (await connection.execute(fields.with_for_update())).one_or_none()
        return None if row is None else StampedRow(row_id, tuple(row[:-1]), tuple(row[-1]))

    async def merge(
        self, connection: Connection, changes: Iterable[FieldChanges[Fields]], **local: object
    ) -> Sequence[UUID]:
        """Apply changes, our own or another's, within the caller's transaction; what is not newer changes nothing.

        Returns:
            The ids of the rows that are new or have changed.
        """
        told = parameters(rows_of(changes), self._names)
        return (await connection.execute(self._upsert, {**told, **local})).scalars().all()
