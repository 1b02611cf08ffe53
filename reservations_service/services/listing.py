"""Lists reservations, the newest first, in keyset pages.

The cursor holds the time of creation and the id of the last one. Each filter has an index in that order; only a range
of departures, which is usually narrow, is sorted.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Select, and_, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.models.code import Code
from reservations_service.models.flight import FlightNumber
from reservations_service.models.reservation import Reservation, ReservationView
from reservations_service.models.status import ReservationStatus
from reservations_service.models.tables import RESERVATIONS
from reservations_service.services.seats import overdue
from service_kit.fields.timestamps import QueryTimestamp
from service_kit.pagination import CursorShape, Page, PageQuery, encode_cursor

_ROWS: Final = RESERVATIONS.c
_NEWEST_FIRST: Final = (_ROWS.created_at.desc(), _ROWS.id.desc())
_MAX_LIMIT: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_INSTANT_DIGITS: Final = 14  # microseconds in hexadecimal: enough until the year 4254
_INSTANT_AND_ID: Final = CursorShape("x" * (_INSTANT_DIGITS + 32))

_Cursor = Annotated[str, _INSTANT_AND_ID.field()]


class ReservationQuery(PageQuery):
    """Which reservations to list."""

    limit: Annotated[int, Field(ge=1, le=_MAX_LIMIT, description="Items a page.")] = 100
    cursor: Annotated[_Cursor | None, Field(description="`next_cursor` of the page before.")] = None
    code: Code | None = None
    passenger_id: UUID | None = None
    flight_number: FlightNumber | None = None
    status: ReservationStatus | None = None
    departure_from: Annotated[
        QueryTimestamp | None, Field(description="Leaves at this instant or later: `2026-12-24T00:00:00Z`.")
    ] = None
    departure_to: Annotated[QueryTimestamp | None, Field(description="Leaves earlier than this instant.")] = None


async def list_reservations(session: AsyncSession, query: ReservationQuery, *, now: datetime) -> Page[ReservationView]:
    """One page; holds that are over by now count as expired.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    rows = (await session.execute(selection_of(query, now=now))).all()
    reservations = [Reservation.of(row).as_of(now) for row in rows[: query.limit]]
    last = reservations[-1] if len(rows) > query.limit else None
    items = [ReservationView.model_validate(reservation) for reservation in reservations]
    return Page(items=items, next_cursor=last and encode_cursor(_key(last)))


def selection_of(query: ReservationQuery, *, now: datetime) -> Select[Any]:
    """The query for a page and one row more, which shows whether there is a next page.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    shared = _conditions(query)
    parts = [_newest(query, *shared, status) for status in _stored_as(query.status, now)] or [_newest(query, *shared)]
    if len(parts) == 1:
        return parts[0]
    # Each part is read from its own index in its order; an OR would be sorted as a whole.
    both = union_all(*(part.subquery().select() for part in parts)).subquery()
    return select(both).order_by(both.c.created_at.desc(), both.c.id.desc()).limit(query.limit + 1)


def _newest(query: ReservationQuery, *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(RESERVATIONS).where(*conditions).order_by(*_NEWEST_FIRST).limit(query.limit + 1)


def _stored_as(status: ReservationStatus | None, now: datetime) -> list[ColumnElement[bool]]:
    """The conditions under which rows have a status; each such row meets exactly one of them."""
    if status is None:
        return []
    if status is ReservationStatus.PENDING:
        return [and_(_ROWS.status == status, _ROWS.hold_expires_at > now)]
    if status is ReservationStatus.EXPIRED:
        return [_ROWS.status == status, overdue(now)]
    return [_ROWS.status == status]


def _conditions(query: ReservationQuery) -> list[ColumnElement[bool]]:
    conditions = [
        _ROWS[name] == wanted
        for name in ("code", "passenger_id", "flight_number")
        if (wanted := getattr(query, name)) is not None
    ]
    if query.departure_from is not None:
        conditions.append(_ROWS.departure_at >= query.departure_from)
    if query.departure_to is not None:
        conditions.append(_ROWS.departure_at < query.departure_to)
    if query.cursor is not None:
        conditions.append(tuple_(_ROWS.created_at, _ROWS.id) < tuple_(*_last_seen(query.cursor)))
    return conditions


def _key(reservation: Reservation) -> str:
    instant = (reservation.created_at - _EPOCH) // _MICROSECOND
    return f"{instant:0{_INSTANT_DIGITS}x}{reservation.id.hex}"


def _last_seen(cursor: str) -> tuple[datetime, UUID]:
    key = _INSTANT_AND_ID.key_in(cursor)
    instant, reservation_id = key[:_INSTANT_DIGITS], key[_INSTANT_DIGITS:]
    return _EPOCH + int(instant, base=16) * _MICROSECOND, UUID(hex=reservation_id)
