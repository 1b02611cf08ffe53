"""The tables of passengers_service. A change of one needs a revision: `init_db --new TEXT`."""

from typing import Final

from sqlalchemy import TIMESTAMP, UUID, Boolean, Column, Computed, Date, Index, Integer, MetaData, Table, Text, text

from passengers_service.events import PassengerFields
from service_kit.postgres.inbox import inbox_table
from service_kit.postgres.list_version import list_version_table
from service_kit.postgres.outbox import outbox_table
from service_kit.replication.columns import stamped_columns
from service_kit.replication.state import copy_state_table

METADATA: Final = MetaData()
OUTBOX: Final = outbox_table(METADATA)
INBOX: Final = inbox_table(METADATA)
COPY_STATE: Final = copy_state_table(METADATA)
LIST_VERSION: Final = list_version_table(METADATA)

DOCUMENT_INDEX: Final = "passengers_document"

# The indexes for search compare bytes (`text_pattern_ops`), so they find prefixes in every collation. They contain all
# rows, because PostgreSQL does not use the statistics of a partial index, and its plans would be random.
passengers: Final = Table(
    "passengers",
    METADATA,
    Column("id", UUID, primary_key=True),
    Column("document_type", Text),
    Column("document_number", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("birth_date", Date),
    Column("nationality", Text),
    Column("created_at", TIMESTAMP(timezone=True)),
    Column("deleted_at", TIMESTAMP(timezone=True)),
    *stamped_columns(PassengerFields),
    # Which rows are passengers: neither deleted, nor known by an edit alone that has come before their creation. A
    # column, because until PostgreSQL has looked at a table it takes one row of 200 for not deleted, and plans so.
    Column("is_listed", Boolean, Computed("0 <> ALL (stamps) AND deleted_at IS NULL", persisted=True), nullable=False),
    Column("version", Integer, nullable=False, server_default="1", comment="Counts the local changes; the ETag."),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False, comment="When the last change arrived here."),
    Index(
        DOCUMENT_INDEX,
        "document_number",
        "document_type",
        unique=True,
        postgresql_ops={"document_number": "text_pattern_ops"},
        postgresql_where=text("is_listed"),
    ),
    Index("passengers_last_name", text("lower(last_name) text_pattern_ops")),
    Index("passengers_first_name", text("lower(first_name) text_pattern_ops")),
    Index("passengers_email", text("lower(email) text_pattern_ops")),
    Index("passengers_updated_at", "updated_at", postgresql_where=text("is_listed")),
)
