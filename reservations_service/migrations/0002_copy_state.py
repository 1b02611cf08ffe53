"""Copy state: requests for all rows, and how the digests compare."""

from service_kit.replication.state_migration import create_copy_state, drop_copy_state

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do it."""
    create_copy_state()


def downgrade() -> None:
    """Undo it."""
    drop_copy_state()
