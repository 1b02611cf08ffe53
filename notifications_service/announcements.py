"""Prints one line for each event of an order."""

from collections.abc import Callable

from notifications_service.events import ORDER_CANCELLED, ORDER_CREATED, OrderRef
from service_kit.messaging.dispatcher import EventDispatcher
from service_kit.messaging.events import Event


def announcements(announce: Callable[[str], None]) -> EventDispatcher:
    """The handlers of this service.

    Args:
        announce: Writes one line.
    """

    async def announce_order(_event: Event, order: OrderRef) -> None:
        announce(f"New order received: {order.order_id}")

    async def announce_cancellation(_event: Event, order: OrderRef) -> None:
        announce(f"Order cancelled: {order.order_id}")

    handlers = EventDispatcher()
    handlers.add(ORDER_CREATED, OrderRef, announce_order)
    handlers.add(ORDER_CANCELLED, OrderRef, announce_cancellation)
    return handlers
