"""Accounts, their sessions, limits and history."""

from service_kit.accounts.migration import create_account_tables, drop_account_tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do it."""
    create_account_tables()


def downgrade() -> None:
    """Undo it."""
    drop_account_tables()
