"""What the migrations of services with a replicated table have in common: the table `copy_state`."""

import sqlalchemy as sa
from alembic import op


def create_copy_state() -> None:
    """Make the table as it was at first: a later column comes by a function, and revisions, of its own."""
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


def drop_copy_state() -> None:
    op.drop_table("copy_state")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
