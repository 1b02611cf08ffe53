"""Keeps the rows of a load in a temporary table until the whole load is known to be good."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.schema import CreateTable

from passengers_service.models.passenger import NewPassenger, PassengerEdit
from passengers_service.services.bulk.statements import (
    DROP_REPEATED,
    DROP_REPEATED_IDS,
    DROP_TAKEN_DOCUMENTS,
    DROP_TAKEN_IDS,
    STAGED,
)
from passengers_service.services.bulk.validation import RejectedRow
from service_kit.fields.uuid7 import uuid7_texts
from service_kit.postgres.bulk_copy import copy_rows

# As text: after a statement that it recognises as DDL, SQLAlchemy prepares all other statements anew.
_CREATE: Final = text(str(CreateTable(STAGED).compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]  # SQLAlchemy's
_COLUMNS: Final = ("row", "id", "has_own_id", *PassengerEdit.model_fields)
_values: Final = attrgetter(*PassengerEdit.model_fields)

Numbered = tuple[int, NewPassenger]
"""A passenger and the number of its row."""

Step = dict[str, int]
"""The first and the last row of a step, for the statements."""


class Staging:
    """The staged rows of one load, in the transaction of its session."""

    def __init__(self, session: AsyncSession, *, now: datetime) -> None:
        self._session = session
        self._new_ids = uuid7_texts(now)
        self._has_own_ids = False

    async def fill(self, chunks: AsyncIterator[Sequence[Numbered]]) -> None:
        """Stage passengers by one COPY, while the next ones are read; those without an id get one.

        The first chunk is checked before a connection is used: most loads have only one.
        """
        first = await anext(chunks, None)
        if first is not None:
            await self._session.execute(_CREATE)
            await copy_rows(self._session, STAGED, _COLUMNS, self._rows(first, chunks))

    async def _rows(
        self, first: Sequence[Numbered], chunks: AsyncIterator[Sequence[Numbered]]
    ) -> AsyncIterator[Sequence[object]]:
        for one in first:
            yield self._row(*one)
        async for chunk in chunks:
            for one in chunk:
                yield self._row(*one)

    def _row(self, number: int, passenger: NewPassenger) -> Sequence[object]:
        own_id = passenger.id
        if own_id:
            self._has_own_ids = True
        return (number, own_id or next(self._new_ids), own_id is not None, *_values(passenger))

    async def drop_repeated(self) -> list[RejectedRow]:
        """Reject rows that repeat an earlier row of this load."""
        reason = "The same document is in row {1} of this load already"
        rejected = await self._dropped(DROP_REPEATED, {}, "document_number", reason)
        if self._has_own_ids:
            rejected += await self._dropped(
                DROP_REPEATED_IDS, {}, "id", "The same id is in row {1} of this load already"
            )
        return rejected

    async def drop_taken(self, step: Step) -> list[RejectedRow]:
        """Reject rows whose own id belongs to another passenger; the passengers of the step are locked."""
        if not self._has_own_ids:
            return []
        taken = await self._session.execute(DROP_TAKEN_IDS, step)
        rejected = [_with_taken_id(row, is_deleted=is_deleted) for row, is_deleted in taken]
        reason = "This document is that of the passenger with the id {1}: send it with that id, or without any"
        return rejected + await self._dropped(DROP_TAKEN_DOCUMENTS, step, "document_number", reason)

    async def _dropped(self, statement: TextClause, step: Step, field: str, reason: str) -> list[RejectedRow]:
        rows = await self._session.execute(statement, step)
        return [RejectedRow(row=row[0], field=field, reason=reason.format(*row)) for row in rows]


def _with_taken_id(row: int, *, is_deleted: bool) -> RejectedRow:
    whose = "a passenger who was deleted" if is_deleted else "a passenger with another document"
    return RejectedRow(row=row, field="id", reason=f"This id is that of {whose}")
