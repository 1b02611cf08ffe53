"""Lists orders, the newest first, in keyset pages.

They are sorted by `_id`, which begins with the second of creation (BSON specification). So each filter needs one index
of two fields, and a range of time is a range of ids.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from bson import ObjectId
from pydantic import Field

from orders_service.models.order import Order, OrderStatus, OrderView, UserId
from service_kit.fields.timestamps import QueryTimestamp
from service_kit.mongo.client import MongoStore
from service_kit.mongo.pagination import DocumentPageQuery, id_in, newest_page
from service_kit.pagination import Page

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_LAST_SECOND: Final = 2**32 - 1
"""The last second that an id can hold: in the year 2106."""


class OrderQuery(DocumentPageQuery):
    """Which orders to list."""

    user_id: UserId | None = None
    status: OrderStatus | None = None
    created_after: Annotated[
        QueryTimestamp | None, Field(description="Placed at this instant or later: `2026-11-20T10:00:00.123Z`.")
    ] = None
    created_before: Annotated[QueryTimestamp | None, Field(description="Placed earlier than this instant.")] = None


async def list_orders(store: MongoStore, query: OrderQuery) -> Page[OrderView]:
    """One page.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
        StoreUnavailableError: MongoDB does not answer (503).
    """
    store.require_prepared()
    return await newest_page(Order, conditions_of(query), query.limit, OrderView.of)


def conditions_of(query: OrderQuery) -> list[Mapping[str, Any]]:
    """The conditions of a query, all of which must hold.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    conditions: list[Mapping[str, Any]] = []
    if query.cursor is not None:
        conditions.append({"_id": {"$lt": id_in(query.cursor)}})
    if query.user_id is not None:
        conditions.append({"user_id": query.user_id})
    if query.status is not None:
        conditions.append({"status": query.status.value})
    if query.created_after is not None:
        conditions += _since(query.created_after)
    if query.created_before is not None:
        conditions += _until(query.created_before)
    return conditions


def _since(instant: datetime) -> list[Mapping[str, Any]]:
    """Conditions on the id, to the second, for the index, and on the field, to the millisecond."""
    first = _whole_millisecond(instant)
    return [{"_id": {"$gte": first_id_of(first)}}, {"created_at": {"$gte": first}}]


def _until(instant: datetime) -> list[Mapping[str, Any]]:
    end = _whole_millisecond(instant)
    return [{"_id": {"$lt": first_id_of(end + timedelta(seconds=1))}}, {"created_at": {"$lt": end}}]


def _whole_millisecond(instant: datetime) -> datetime:
    """Round up to a whole millisecond: MongoDB stores no finer time, and would round down.

    Times that no id can hold become the nearest one that an id can.
    """
    nearest = min(max(instant, _EPOCH), _EPOCH + timedelta(seconds=_LAST_SECOND))
    return _EPOCH - (_EPOCH - nearest) // timedelta(milliseconds=1) * timedelta(milliseconds=1)


def first_id_of(instant: datetime) -> ObjectId:
    """The smallest id of the second of `instant`."""
    second = (instant - _EPOCH) // timedelta(seconds=1)
    return ObjectId(min(second, _LAST_SECOND).to_bytes(4, "big") + bytes(8))
