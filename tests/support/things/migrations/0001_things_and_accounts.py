"""Things and accounts."""

import sqlalchemy as sa
from alembic import op

from service_kit.accounts.migration import create_account_tables, drop_account_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do it."""
    create_account_tables()
    op.create_table(
        "things",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("things")
    drop_account_tables()
