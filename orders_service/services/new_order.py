"""A new order: its id, what is answered, and what is stored."""

from datetime import datetime
from typing import Any

from bson import Decimal128, ObjectId

from orders_service.models.order import NewOrder, OrderStatus, OrderView


def new_order_id(now: datetime) -> ObjectId:
    """An id that begins with the second of `now`, so that a range of time is a range of ids."""
    return ObjectId(int(now.timestamp()).to_bytes(4, "big") + ObjectId().binary[4:])


def placed_view(order_id: ObjectId, wish: NewOrder, now: datetime) -> OrderView:
    """What a wish has become."""
    return OrderView(
        id=str(order_id),
        status=OrderStatus.PLACED,
        user_id=wish.user_id,
        items=wish.items,
        currency=wish.currency,
        notes=wish.notes,
        total=wish.total,
        created_at=now,
    )


def as_document(order_id: ObjectId, view: OrderView) -> dict[str, Any]:
    """The order as MongoDB keeps it; amounts as exact decimals."""
    return {
        "_id": order_id,
        "status": view.status.value,
        "user_id": view.user_id,
        "items": [
            {
                "sku": item.sku,
                "name": item.name,
                "quantity": item.quantity,
                "unit_price": Decimal128(item.unit_price),
            }
            for item in view.items
        ],
        "currency": view.currency,
        "notes": view.notes,
        "total": Decimal128(view.total),
        "created_at": view.created_at,
        "cancelled_at": None,
    }
