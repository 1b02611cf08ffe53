"""Lists passengers, the newest first, in keyset pages that PostgreSQL encodes as JSON.

They are sorted by `id`, which begins with the millisecond of creation if it was made by RFC 9562. Rows that are added
or removed meanwhile do not make any other row appear twice, or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from passengers_service.models.passenger import PassengerView
from passengers_service.models.tables import passengers
from service_kit.fields.characters import VISIBLE
from service_kit.fields.text import Normalized, TextPattern
from service_kit.fields.timestamps import QueryTimestamp
from service_kit.pagination import CursorShape, PageQuery, encode_cursor
from service_kit.postgres.json_items import with_z
from service_kit.postgres.search import PLAN_EACH, pattern_of

MAX_LIMIT: Final = 10_000

_UUID: Final = CursorShape("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
_ROWS: Final = passengers.c
_SHOWN: Final = [_ROWS[name] for name in PassengerView.model_fields]

_NotHidden = TextPattern(rf"^[^\x00]*{VISIBLE}[^\x00]*$", "Write at least one visible character, and no NUL")


class PassengerQuery(PageQuery):
    """Which passengers to list."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Passengers a page.")] = 100
    cursor: Annotated[
        Annotated[str, _UUID.field()] | None,
        Field(description="`next_cursor` of the page before."),
    ] = None
    q: Annotated[
        Annotated[str, Field(max_length=100), _NotHidden, Normalized(strip_whitespace=True)] | None,
        Field(
            description="How the last name, the first name, the document's number or the e-mail begins, in any case. "
            "What stands inside of a name is not found: that would need an extension of PostgreSQL."
        ),
    ] = None
    document_number: Annotated[
        Annotated[str, Field(max_length=32), _NotHidden, Normalized(to_upper=True)] | None,
        Field(description="The whole number, in any case."),
    ] = None
    updated_since: Annotated[
        QueryTimestamp | None,
        Field(
            description="Changed here at this instant or later: `2026-11-20T10:00:00.123Z`. A change is dated by its "
            "beginning, and is seen at its end: so take an instant some minutes before your last list. "
            "Those who were deleted are not listed."
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class ListedPage:
    """One page as JSON, and the cursor of the next; None on the last."""

    body: bytes
    next_cursor: str | None


async def list_passengers(session: AsyncSession, query: PassengerQuery) -> ListedPage:
    """One page.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    conditions = conditions_of(query)
    if query.q:
        await session.execute(PLAN_EACH)
    items, last = (await session.execute(page_of(conditions, query.limit))).one()
    more = last is not None and await session.scalar(_any_after(conditions, last))
    cursor = encode_cursor(str(last)) if more else None
    following = f'"{cursor}"' if cursor else "null"
    return ListedPage(f'{{"items":{with_z(items)},"next_cursor":{following}}}'.encode(), cursor)


def page_of(conditions: list[ColumnElement[bool]], limit: int) -> Any:  # noqa: ANN401 - a select of text and an id
    """The query for a page: its items as text, and the id of its last passenger if it is full."""
    page = select(*_SHOWN).where(*conditions).order_by(_ROWS.id.desc()).limit(limit).subquery("page")
    items = func.coalesce(cast(func.json_agg(text("page")), Text), "[]")
    return select(items, func.array_agg(page.c.id, type_=ARRAY(Uuid))[limit]).select_from(page)


def _any_after(conditions: list[ColumnElement[bool]], last: UUID) -> Any:  # noqa: ANN401 - a select of a truth
    return select(select(_ROWS.id).where(*conditions, _ROWS.id < last).exists())


def conditions_of(query: PassengerQuery) -> list[ColumnElement[bool]]:
    """The conditions of a query, all of which must hold.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    filters: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "cursor": lambda cursor: _ROWS.id < UUID(_UUID.key_in(cursor)),
        "q": _begins_with,
        "document_number": lambda number: _ROWS.document_number == number,
        "updated_since": lambda instant: _ROWS.updated_at >= instant,
    }
    asked = query.model_dump(include=set(filters), exclude_none=True)
    return [_ROWS.is_listed, *(filters[name](value) for name, value in asked.items())]


def _begins_with(prefix: str) -> ColumnElement[bool]:
    pattern = pattern_of(prefix)
    return (
        func.lower(_ROWS.last_name).like(func.lower(pattern))
        | func.lower(_ROWS.first_name).like(func.lower(pattern))
        | func.lower(_ROWS.email).like(func.lower(pattern))
        | _ROWS.document_number.like(func.upper(pattern))
    )
