"""The events of orders_service. To add one: a class of its data here, and an entry where the change is written.

Amounts are strings, so that no consumer rounds them by reading a float.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from service_kit.messaging.events import Event, new_event

SOURCE: Final = "/orders_service"
ORDER_CREATED: Final = "order.created"
ORDER_CANCELLED: Final = "order.cancelled"


class OrderCreated(msgspec.Struct, frozen=True):
    """An order was placed."""

    order_id: str
    user_id: str | None
    total: str
    currency: str
    created_at: datetime


class OrderCancelled(msgspec.Struct, frozen=True):
    """An order was cancelled."""

    order_id: str
    cancelled_at: datetime


def order_created(order_id: str, user_id: str | None, total: Decimal, currency: str, *, at: datetime) -> Event:
    """State that an order was placed; `total` is in units of `currency`."""
    return new_event(ORDER_CREATED, SOURCE, OrderCreated(order_id, user_id, str(total), currency, at), at=at)


def order_cancelled(order_id: str, *, at: datetime) -> Event:
    """State that an order was cancelled."""
    return new_event(ORDER_CANCELLED, SOURCE, OrderCancelled(order_id, at), at=at)
