"""Listed passengers: a column rather than a condition on two."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CONDITION = "is_complete AND deleted_at IS NULL"


def upgrade() -> None:
    """Do it."""
    # The new column rewrites the table and its indexes: so those that change anyway go first.
    for index in ("passengers_listed", "passengers_document", "passengers_updated_at"):
        op.drop_index(index, "passengers")
    listed = sa.Computed("0 <> ALL (stamps) AND deleted_at IS NULL", persisted=True)
    op.add_column("passengers", sa.Column("is_listed", sa.Boolean(), listed, nullable=False))
    _index("is_listed")


def downgrade() -> None:
    """Undo it."""
    op.drop_column("passengers", "is_listed")  # and the indexes that mention it
    _index(_CONDITION)
    op.create_index("passengers_listed", "passengers", ["id"], postgresql_where=sa.text(_CONDITION))


def _index(condition: str) -> None:
    op.create_index(
        "passengers_document",
        "passengers",
        ["document_number", "document_type"],
        unique=True,
        postgresql_ops={"document_number": "text_pattern_ops"},
        postgresql_where=sa.text(condition),
    )
    op.create_index("passengers_updated_at", "passengers", ["updated_at"], postgresql_where=sa.text(condition))
