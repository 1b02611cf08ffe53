"""Payments, outbox and inbox."""

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
    op.create_index("inbox_received_at", "inbox", ["received_at"], unique=False)
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
    op.create_index("outbox_due", "outbox", ["due_at", "position"], unique=False)
    op.create_index(
        "outbox_owner", "outbox", ["owner", "position"], unique=False, postgresql_where=sa.text("owner IS NOT NULL")
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column(
            "is_large", sa.Text(), sa.Computed("CASE WHEN cents > 100000 THEN 'yes' END", persisted=True), nullable=True
        ),
        sa.CheckConstraint("cents > 0", name="payments_are_positive"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("payments")
    op.drop_index("outbox_owner", table_name="outbox", postgresql_where=sa.text("owner IS NOT NULL"))
    op.drop_index("outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("inbox_received_at", table_name="inbox")
    op.drop_table("inbox")
