"""Copy state: requests for all rows, and how the digests compare."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do it."""
    op.create_table(
        "copy_state",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.TIMESTAMP(timezone=True)) for name in ("asked_at", "telling_since", "telling_until")),
        sa.Column("told_up_to", sa.UUID()),
        *(sa.Column(name, sa.TIMESTAMP(timezone=True)) for name in ("told_at", "compare_at")),
        sa.Column("difference", sa.Text()),
        *(_count(name) for name in ("times_differed", "times_unchanged", "resyncs")),
        sa.Column("resync_at", sa.TIMESTAMP(timezone=True)),
        _count("rows_ahead"),
        sa.PrimaryKeyConstraint("slot"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("copy_state")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
