from typing import Final

from sqlalchemy import UUID, Column, MetaData, Table

from service_kit.accounts.tables import account_tables
from service_kit.postgres.migrations import Schema

METADATA: Final = MetaData()
THINGS: Final = Table(
    "things",
    METADATA,
    Column("id", UUID, primary_key=True),
    Column("owner_id", UUID, nullable=False),
)
ACCOUNTS: Final = account_tables(METADATA)
SCHEMA: Final = Schema(METADATA, "tests.support.things")
