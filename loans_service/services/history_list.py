"""Reading a history, the oldest entry first."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.tables import CLIENT_HISTORY
from loans_service.services.errors import ClientNotFoundError, LoanNotFoundError
from service_kit.accounts.caller import Caller
from service_kit.fields.timestamps import ResponseTimestamp
from service_kit.pagination import BadCursorError, Page, PageQuery, decode_cursor, encode_cursor

_MAX_DIGITS: Final = 9

Hash = Annotated[bytes, PlainSerializer(bytes.hex, return_type=str)]


class HistoryQuery(PageQuery):
    """Which page of a history."""

    model_config = ConfigDict(extra="forbid")


class HistoryEntry(BaseModel):
    """One change."""

    model_config = ConfigDict(from_attributes=True)

    number: Annotated[int, Field(description="From 1; the version that the change has made.")]
    at: ResponseTimestamp
    account_id: UUID
    by: Annotated[str, Field(description="The account's address, as it was.")]
    command: str
    reason: str | None
    changes: Annotated[
        dict[str, list[Any]] | None,
        Field(description="By field: before and after. Null for a client that was deleted."),
    ]
    request_id: str
    hash: Annotated[Hash, Field(description="SHA-256 over this entry and the hash of the one before it.")]


async def read_history(
    session: AsyncSession, table: Table, caller: Caller, subject_id: UUID, query: HistoryQuery
) -> Page[HistoryEntry]:
    """One page of a client's or a loan's history; that of one that was deleted is there too.

    Raises:
        ClientNotFoundError: There never was such a client, or the caller may not see it (404).
        LoanNotFoundError: The same of a loan (404).
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    after = _number_in(query.cursor) if query.cursor is not None else 0
    entries = select(table).where(table.c.subject_id == subject_id, table.c.number > after)
    rows = (await session.execute(entries.order_by(table.c.number).limit(query.limit + 1))).all()
    if caller.only_subject is not None or (not rows and not after):  # nobody sees histories of their own alone
        raise (ClientNotFoundError if table is CLIENT_HISTORY else LoanNotFoundError)(subject_id)
    items = [HistoryEntry.model_validate(row) for row in rows[: query.limit]]
    return Page(items=items, next_cursor=encode_cursor(str(items[-1].number)) if len(rows) > query.limit else None)


def _number_in(cursor: str) -> int:
    number = decode_cursor(cursor)
    if not (number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS):
        raise BadCursorError
    return int(number)
