"""A new order: its id, its response, and its document."""

import os
from datetime import datetime
from decimal import Decimal
from itertools import count
from random import getrandbits
from typing import Any, Final

from bson import Decimal128, ObjectId

from orders_service.models.order import NewOrder, OrderStatus, OrderView

_PROCESS: Final = os.urandom(5)
_serials: Final = count(getrandbits(24))
_HUNDREDTHS: Final = (6176 - 2) << 113
"""The exponent of a Decimal128 that counts hundredths, biased and in its place (BSON specification, Decimal128)."""


def as_decimal128(amount: Decimal) -> Decimal128:
    """Convert an amount with at most two places; bson's own conversion takes several times as long."""
    return Decimal128.from_bid((_HUNDREDTHS | int(amount * 100)).to_bytes(16, "little"))


def new_order_id(now: datetime) -> ObjectId:
    """Make an id that begins with the second of `now`, so that a range of time is a range of ids."""
    serial = next(_serials) & 0xFFFFFF
    return ObjectId(int(now.timestamp()).to_bytes(4, "big") + _PROCESS + serial.to_bytes(3, "big"))


def placed_view(order_id: ObjectId, new_order: NewOrder, now: datetime) -> OrderView:
    """The response to a new order."""
    return OrderView(
        id=str(order_id),
        status=OrderStatus.PLACED,
        user_id=new_order.user_id,
        items=new_order.items,
        currency=new_order.currency,
        notes=new_order.notes,
        total=new_order.total,
        created_at=now,
    )


def as_document(order_id: ObjectId, view: OrderView) -> dict[str, Any]:
    """The document of an order, with amounts as exact decimals."""
    return {
        "_id": order_id,
        "status": view.status.value,
        "user_id": view.user_id,
        "items": [
            {
                "sku": item.sku,
                "name": item.name,
                "quantity": item.quantity,
                "unit_price": as_decimal128(item.unit_price),
            }
            for item in view.items
        ],
        "currency": view.currency,
        "notes": view.notes,
        "total": as_decimal128(view.total),
        "created_at": view.created_at,
        "cancelled_at": None,
    }
