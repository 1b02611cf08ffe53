"""Passengers, list version, outbox and inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do it."""
    op.create_table(
        "inbox",
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("identity"),
    )
    op.create_index("inbox_received_at", "inbox", ["received_at"])
    op.create_table(
        "list_version",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("slot"),
    )
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id"),
    )
    # PostgreSQL would compress the events of a load, 2 MB in 20 ms, for the moment until they are published.
    op.execute("ALTER TABLE outbox ALTER body SET STORAGE EXTERNAL")
    op.create_index("outbox_due", "outbox", ["due_at", "position"])
    op.create_index("outbox_owner", "outbox", ["owner", "position"], postgresql_where=sa.text("owner IS NOT NULL"))
    op.create_table(
        "passengers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_type", sa.Text(), nullable=True),
        sa.Column("document_number", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("nationality", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stamps", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("is_complete", sa.Boolean(), sa.Computed("0 <> ALL (stamps)", persisted=True), nullable=False),
        sa.Column(
            "version", sa.Integer(), server_default="1", nullable=False, comment="Counts the local changes; the ETag."
        ),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), nullable=False, comment="When the last change arrived here."
        ),
        sa.CheckConstraint(
            "NOT is_complete OR num_nulls(document_type, document_number, first_name, last_name, birth_date, "
            "nationality, created_at) = 0",
            name="complete_has_required",
        ),
        sa.CheckConstraint(
            "cardinality(stamps) = 10 AND array_position(stamps, NULL) IS NULL", name="stamps_are_whole"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "passengers_document",
        "passengers",
        ["document_number", "document_type"],
        unique=True,
        postgresql_ops={"document_number": "text_pattern_ops"},
        postgresql_where=sa.text("is_complete AND deleted_at IS NULL"),
    )
    op.create_index("passengers_email", "passengers", [sa.literal_column("lower(email) text_pattern_ops")])
    op.create_index("passengers_first_name", "passengers", [sa.literal_column("lower(first_name) text_pattern_ops")])
    op.create_index("passengers_last_name", "passengers", [sa.literal_column("lower(last_name) text_pattern_ops")])
    op.create_index(
        "passengers_updated_at",
        "passengers",
        ["updated_at"],
        postgresql_where=sa.text("is_complete AND deleted_at IS NULL"),
    )
    op.create_index(
        "passengers_listed", "passengers", ["id"], postgresql_where=sa.text("is_complete AND deleted_at IS NULL")
    )


def downgrade() -> None:
    """Undo it; the indexes go with their tables."""
    for table in ("passengers", "outbox", "list_version", "inbox"):
        op.drop_table(table)
