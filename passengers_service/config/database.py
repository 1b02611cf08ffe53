"""The database of passengers_service; its tables are made by the migrations, at the first start."""

from typing import Final

from passengers_service.config.settings import PassengersSettings
from passengers_service.models.tables import METADATA
from service_kit.postgres.migrations import Schema
from service_kit.postgres.store import PostgresStore

SCHEMA: Final = Schema(METADATA, "passengers_service")


def open_store(settings: PassengersSettings) -> PostgresStore:
    """The store that `settings` name; it connects on first use."""
    return PostgresStore(settings, SCHEMA)
