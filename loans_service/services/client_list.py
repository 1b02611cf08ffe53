"""`GET /clients`: which clients, in which order."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field
from sqlalchemy import ColumnElement, func
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.tables import CLIENTS
from loans_service.services.clients import SHOWN, visible_clients
from loans_service.services.keyset import ListedPage, Listing, Sort, list_page
from service_kit.accounts.caller import Caller
from service_kit.fields.characters import VISIBLE
from service_kit.fields.country import CountryCode
from service_kit.fields.text import Normalized, TextPattern
from service_kit.fields.timestamps import QueryTimestamp
from service_kit.pagination import PageQuery
from service_kit.postgres.search import PLAN_EACH, pattern_of

_ROWS: Final = CLIENTS.c

Prefix = Annotated[
    str,
    Field(max_length=100, description="How a name, the document's number or the e-mail begins, in any case."),
    TextPattern(rf"^[^\x00]*{VISIBLE}[^\x00]*$", "Write at least one visible character, and no NUL"),
    Normalized(strip_whitespace=True),
]
Exact = Annotated[str, Field(max_length=254), TextPattern(r"^[^\x00]+$", "Write at least one character, and no NUL")]


class ListQuery(PageQuery):
    """What every list of this service takes."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=1000, description="Items a page.")] = 100
    cursor: Annotated[
        Annotated[str, Field(json_schema_extra={"pattern": "^313a([0-9a-f]{2})+$"})] | None,
        Field(description="`next_cursor` of the page before."),
    ] = None
    with_total: Annotated[bool, Field(description="Adds `total`, exact up to 10,000, and `total_is_exact`.")] = False
    created_from: Annotated[QueryTimestamp | None, Field(alias="created_at[gte]")] = None
    created_before: Annotated[QueryTimestamp | None, Field(alias="created_at[lt]")] = None

    def created_within(self, created_at: ColumnElement[datetime]) -> list[ColumnElement[bool]]:
        """The conditions of the two bounds."""
        return [
            *([created_at >= self.created_from] if self.created_from else []),
            *([created_at < self.created_before] if self.created_before else []),
        ]


class ClientQuery(ListQuery):
    """Which clients to list."""

    sort: Literal["created_at", "-created_at"] = "-created_at"
    q: Prefix | None = None
    document_number: Annotated[
        Annotated[Exact, Normalized(to_upper=True)] | None, Field(description="The whole number, in any case.")
    ] = None
    email: Annotated[Exact | None, Field(description="The whole address, in any case.")] = None
    country: CountryCode | None = None


_FILTERS: Final[Mapping[str, Callable[[Any], ColumnElement[bool]]]] = {
    "q": lambda prefix: begins_with(prefix),  # noqa: PLW0108 - it stands below
    "document_number": lambda number: _ROWS.document_number == number,
    "email": lambda email: func.lower(_ROWS.email) == func.lower(email),
    "country": lambda country: _ROWS.country == country,
}


def begins_with(prefix: str) -> ColumnElement[bool]:
    """Whose names, document or e-mail begin so."""
    pattern = pattern_of(prefix)
    return (
        func.lower(_ROWS.last_name).like(func.lower(pattern))
        | func.lower(_ROWS.first_name).like(func.lower(pattern))
        | func.lower(_ROWS.email).like(func.lower(pattern))
        | _ROWS.document_number.like(func.upper(pattern))
    )


async def list_clients(session: AsyncSession, caller: Caller, query: ClientQuery) -> ListedPage:
    """One page of the clients that the caller may see.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    if query.q:
        await session.execute(PLAN_EACH)
    return await list_page(session, listing_of(caller, query), with_total=query.with_total)


def listing_of(caller: Caller, query: ClientQuery) -> Listing:
    """What PostgreSQL is asked."""
    asked = query.model_dump(include=set(_FILTERS), exclude_none=True)
    conditions = [
        visible_clients(caller),
        *query.created_within(_ROWS.created_at),
        *(_FILTERS[name](value) for name, value in asked.items()),
    ]
    return Listing(CLIENTS, SHOWN, conditions, Sort(query.sort, _ROWS.created_at), query.limit, query.cursor)
