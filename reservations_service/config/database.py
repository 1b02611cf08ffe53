"""The database of reservations_service; its tables are made by the migrations, at the first start."""

from typing import Final

from reservations_service.config.settings import ReservationsSettings
from reservations_service.models.tables import METADATA
from service_kit.postgres.migrations import Schema
from service_kit.postgres.store import PostgresStore

SCHEMA: Final = Schema(METADATA, "reservations_service")


def open_store(settings: ReservationsSettings) -> PostgresStore:
    """The store that `settings` name; it connects on first use."""
    return PostgresStore(settings, SCHEMA)
