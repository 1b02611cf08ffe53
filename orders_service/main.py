"""orders_service: places orders, and tells the others by events. A table of contents; start reading here."""

from datetime import timedelta

from fastapi import FastAPI

from orders_service.config.database import open_store
from orders_service.config.rabbit import open_publisher
from orders_service.config.settings import OrdersSettings
from orders_service.models.order import Order
from orders_service.routes import orders
from orders_service.services.orders import Orders
from service_kit.api.app import create_app
from service_kit.mongo.outbox import MongoOutbox
from service_kit.outbox.relay import Relay
from service_kit.settings.environment import load_settings


def build(settings: OrdersSettings) -> FastAPI:
    """The API on the servers that `settings` name."""
    store = open_store(settings)
    publisher = open_publisher(settings)
    relay = Relay(MongoOutbox(store.database[Order.Settings.name], store.clock), publisher)
    window = timedelta(minutes=settings.cancellation_window_minutes)
    return create_app(
        settings,
        description="Orders. **Accepted means delivered**: a 201 is on disk, and its event reaches `orders_queue`.",
        routers=[orders.fast_path, orders.router],
        resources=[store, publisher, relay],
        services=[Orders(store, relay, cancellation_window=window)],
        tags={"orders": "Placed, read, listed and cancelled."},
    )


app = build(load_settings(OrdersSettings))
