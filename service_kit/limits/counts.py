"""The table in which limits count, for all replicas of a service."""

from sqlalchemy import ARRAY, TIMESTAMP, Column, Float, Index, Integer, MetaData, Table, Text, text


def counts_table(metadata: MetaData, name: str) -> Table:
    """Add a table of counts to a service's tables. What it holds may be lost: a limit then begins anew."""
    return Table(
        name,
        metadata,
        Column("key", Text, primary_key=True),
        Column("count", Integer, nullable=False, server_default=text("0"), comment="Of a fixed window."),
        Column("entries", ARRAY(Float), nullable=False, server_default="{}", comment="Of a moving one: instants."),
        Column("ends_at", TIMESTAMP(timezone=True), nullable=False, comment="From when the row says nothing any more."),
        Index(f"{name}_ends_at", "ends_at"),
    )
