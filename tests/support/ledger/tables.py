from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Computed, Identity, Index, MetaData, Table, Text, text

from service_kit.postgres.inbox import inbox_table
from service_kit.postgres.migrations import Schema
from service_kit.postgres.outbox import outbox_table

METADATA: Final = MetaData()

PAYMENTS: Final = Table(
    "payments",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("payer", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("is_large", Text, Computed("CASE WHEN cents > 100000 THEN 'yes' END", persisted=True)),
    Column("note", Text, nullable=False, server_default=""),
    CheckConstraint("cents > 0", name="payments_are_positive"),
    Index("payments_one_a_payer", "payer", unique=True, postgresql_where=text("note = ''")),
)
OUTBOX: Final = outbox_table(METADATA)
INBOX: Final = inbox_table(METADATA)
SCHEMA: Final = Schema(METADATA, "tests.support.ledger")
