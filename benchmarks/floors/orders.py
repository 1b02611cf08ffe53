"""The floor of orders_service: its own app, which validates and answers, without a store or a broker.

What it reaches is what the framework leaves; the rest is the price of the promise.
"""

from datetime import datetime

from orders_service.config.settings import OrdersSettings
from orders_service.models.order import NewOrder
from orders_service.routes import orders
from orders_service.services.new_order import new_order_id, placed_view
from orders_service.services.orders import Orders, Placed
from service_kit.api.app import create_app
from service_kit.settings.environment import load_settings


class ForgottenOrders(Orders):
    """Answers an order, and forgets it."""

    def __init__(self) -> None:
        """There is no store."""

    async def place(self, new_order: NewOrder, *, key: str | None, caller: str | None, now: datetime) -> Placed:
        """As `Orders.place` answers."""
        assert key is caller is None
        return Placed(placed_view(new_order_id(now), new_order, now), replayed=False)


app = create_app(
    load_settings(OrdersSettings),
    description="The floor.",
    routers=[orders.fast_path, orders.router],
    services=[ForgottenOrders()],
)
