"""The database of user_service: one collection, `users`, made with its index at the first start."""

from service_kit.mongo.client import MongoStore, open_database
from service_kit.mongo.guard import guard_of
from user_service.config.settings import UserSettings
from user_service.models.user import User


def open_store(settings: UserSettings) -> MongoStore:
    """The store that `settings` name; it connects on first use."""
    return MongoStore(open_database(settings), [User], guard=guard_of(settings))
