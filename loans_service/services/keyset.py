"""Lists in keyset pages, in either direction of a column: the id breaks ties, and rows without a value come last.

The cursor names the sort, the last row's value and its id: so whatever comes and goes meanwhile, each row that stays is
on one page.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    Numeric,
    Select,
    Table,
    Text,
    cast,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.pagination import BadCursorError, decode_cursor, encode_cursor
from service_kit.postgres.json_items import with_z

MOST_COUNTED: Final = 10_000
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a list, as a caller has spelled it.

    Attributes:
        name: A column, with - before it for the other direction.
        column: The column.
    """

    name: str
    column: Column[Any]

    @property
    def has_gaps(self) -> bool:
        """Whether rows may have no value."""
        return bool(self.column.nullable)

    @property
    def is_descending(self) -> bool:
        """Whether the largest comes first."""
        return self.name.startswith("-")

    def of(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """A column in this direction."""
        return column.desc() if self.is_descending else column.asc()

    def after(self, column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
        """What comes behind a value."""
        return column < value if self.is_descending else column > value


@dataclass(frozen=True, slots=True)
class Place:
    """The last row of a page: its value, None if it has none, and its id."""

    value: Any
    id: UUID


@dataclass(frozen=True, slots=True)
class ListedPage:
    """One page as JSON, and the cursor of the next; None on the last."""

    body: bytes
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What is listed.

    Attributes:
        table: It has an `id`.
        shown: The fields of an item, by name.
        conditions: What the rows have to be; all of it holds together.
        sort: Their order.
        limit: Items a page.
        cursor: Of the page before.
    """

    table: Table
    shown: Mapping[str, ColumnElement[Any]]
    conditions: Sequence[ColumnElement[bool]]
    sort: Sort
    limit: int
    cursor: str | None = None


_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_READ: Final[Mapping[type, tuple[str, Callable[[str], object]]]] = {
    Date: (_DAY, date.fromisoformat),
    Numeric: (r"[0-9]{1,16}(\.[0-9]{1,2})?", Decimal),
}
"""How PostgreSQL spells the values, and nothing that it or the driver could not take."""
_AN_INSTANT: Final = (rf"{_DAY} [0-9:]{{8}}(\.[0-9]{{1,6}})?\+00", datetime.fromisoformat)


def place_in(sort: Sort, cursor: str) -> Place:
    """The place that a cursor names.

    Raises:
        BadCursorError: This list has not answered it in this order (400).
    """
    parts = decode_cursor(cursor).split("|")
    if len(parts) != _PARTS or parts[0] != sort.name:
        raise BadCursorError
    _, value, row_id = parts
    spelling, read = _READ.get(type(sort.column.type), _AN_INSTANT)
    if not re.fullmatch(spelling, value) and (value or not sort.has_gaps):
        raise BadCursorError
    try:
        return Place(read(value) if value else None, UUID(row_id))
    except ValueError:
        raise BadCursorError from None


async def list_page(session: AsyncSession, listing: Listing, *, with_total: bool = False) -> ListedPage:
    """One page.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    rows = (await session.execute(page_statement(listing))).all()
    items, sort = rows[: listing.limit], listing.sort
    more = len(rows) > listing.limit
    cursor = encode_cursor(f"{sort.name}|{items[-1].place or ''}|{items[-1].id}") if more else None
    following = f'"{cursor}"' if cursor else "null"
    total = await _total(session, listing) if with_total else ""
    body = ",".join(row.item for row in items)
    return ListedPage(f'{{"items":[{with_z(body)}],"next_cursor":{following}{total}}}'.encode(), cursor)


def page_statement(listing: Listing) -> Select[Any]:
    """What PostgreSQL is asked: one row more than the page has, which tells whether there is a next one."""
    keys = _keys(listing).subquery("keys")
    own, sort = listing.table, listing.sort
    fields = select(*(column.label(name) for name, column in listing.shown.items())).correlate(own)
    item = select(cast(func.row_to_json(literal_column("shown")), Text)).select_from(fields.subquery("shown"))
    return (
        select(item.scalar_subquery().label("item"), cast(keys.c.value, Text).label("place"), keys.c.id)
        .select_from(keys.join(own, own.c.id == keys.c.id))
        .order_by(keys.c.value.is_(None), sort.of(keys.c.value), sort.of(keys.c.id))
    )


def _keys(listing: Listing) -> Any:  # noqa: ANN401 - a select, or a union of two
    sort, own = listing.sort, listing.table
    place = place_in(sort, listing.cursor) if listing.cursor is not None else None
    if place and place.value is None:
        return _few(listing, sort.column.is_(None), sort.after(own.c.id, place.id))
    behind = [sort.after(tuple_(sort.column, own.c.id), tuple_(place.value, place.id))] if place else []
    if not sort.has_gaps:
        return _few(listing, *behind)
    # Each part is read from the index in its order; an OR would be sorted as a whole.
    parts = [_few(listing, sort.column.is_not(None), *behind), _few(listing, sort.column.is_(None))]
    both = union_all(*(part.subquery().select() for part in parts)).subquery()
    return (
        select(both)
        .order_by(both.c.value.is_(None), sort.of(both.c.value), sort.of(both.c.id))
        .limit(listing.limit + 1)
    )


def _few(listing: Listing, *conditions: ColumnElement[bool]) -> Select[Any]:
    sort, row_id = listing.sort, listing.table.c.id
    return (
        select(row_id, sort.column.label("value"))
        .where(*listing.conditions, *conditions)
        .order_by(sort.of(sort.column), sort.of(row_id))
        .limit(listing.limit + 1)
    )


async def _total(session: AsyncSession, listing: Listing) -> str:
    """How many rows there are on all pages; beyond some thousands nobody wants to wait for the number."""
    some = select(listing.table.c.id).where(*listing.conditions).limit(MOST_COUNTED + 1).subquery()
    count = await session.scalar(select(func.count()).select_from(some)) or 0
    exact = "true" if count <= MOST_COUNTED else "false"
    return f',"total":{min(count, MOST_COUNTED)},"total_is_exact":{exact}'
