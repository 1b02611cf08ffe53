"""The database of loans_service; its tables are made by the migrations, at the first start."""

from typing import Final

from loans_service.config.settings import LoansSettings
from loans_service.models.tables import METADATA
from service_kit.postgres.migrations import Schema
from service_kit.postgres.store import PostgresStore

SCHEMA: Final = Schema(METADATA, "loans_service")


def open_store(settings: LoansSettings) -> PostgresStore:
    """The store that `settings` name; it connects on first use."""
    return PostgresStore(settings, SCHEMA)
