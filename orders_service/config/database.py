"""The database of orders_service: one collection, `orders`, made with its indexes at the first start."""

from orders_service.config.settings import OrdersSettings
from orders_service.models.order import Order
from service_kit.mongo.client import MongoStore, open_database
from service_kit.mongo.guard import guard_of


def open_store(settings: OrdersSettings) -> MongoStore:
    """The store that `settings` name; it connects on first use."""
    return MongoStore(open_database(settings), [Order], guard=guard_of(settings))
