"""Listing orders, the newest first, in keyset pages.

Sorted by `_id`, which begins with the second of creation (BSON specification): so each filter needs one index of two
fields, and a range of time is a range of ids.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from beanie import SortDirection
from bson import ObjectId
from pydantic import AwareDatetime, Field

from orders_service.models.order import Order, OrderStatus, OrderView, UserId
from service_kit.mongo import MongoStore
from service_kit.pages import BadCursorError, Page, PageQuery, decode_cursor, encode_cursor

_LAST_SECOND: Final = 2**32 - 1


class OrderQuery(PageQuery):
    """Which orders to list."""

    user_id: UserId | None = None
    status: OrderStatus | None = None
    created_after: Annotated[AwareDatetime | None, Field(description="Placed at this instant or later.")] = None
    created_before: Annotated[AwareDatetime | None, Field(description="Placed earlier than this instant.")] = None


async def list_orders(store: MongoStore, query: OrderQuery) -> Page[OrderView]:
    """One page.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
        StoreUnavailableError: MongoDB does not answer (503).
    """
    store.require_prepared()
    conditions = _conditions(query)
    orders = await Order.find(*conditions).sort(("_id", SortDirection.DESCENDING)).limit(query.limit + 1).to_list()
    page = [OrderView.of(order) for order in orders[: query.limit]]
    more = len(orders) > query.limit
    return Page(items=page, next_cursor=encode_cursor(page[-1].id) if more else None)


def _conditions(query: OrderQuery) -> list[Mapping[str, Any]]:
    conditions: list[Mapping[str, Any]] = []
    if query.cursor is not None:
        conditions.append({"_id": {"$lt": _id_in(query.cursor)}})
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
    """By id to the second, which the index knows, and by the field to the millisecond."""
    return [{"_id": {"$gte": first_id_of(instant)}}, {"created_at": {"$gte": instant}}]


def _until(instant: datetime) -> list[Mapping[str, Any]]:
    after = {"_id": {"$lt": first_id_of(instant, plus_seconds=1)}}
    return [after, {"created_at": {"$lt": instant}}]


def first_id_of(instant: datetime, *, plus_seconds: int = 0) -> ObjectId:
    """The smallest id of a second; instants that no id can carry become the nearest one that can."""
    epoch = datetime.fromtimestamp(0, tz=instant.tzinfo)
    second = (instant - epoch) // timedelta(seconds=1) + plus_seconds
    return ObjectId(min(max(second, 0), _LAST_SECOND).to_bytes(4, "big") + bytes(8))


def _id_in(cursor: str) -> ObjectId:
    key = decode_cursor(cursor)
    if not ObjectId.is_valid(key):
        raise BadCursorError
    return ObjectId(key)
