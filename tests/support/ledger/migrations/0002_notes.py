"""Notes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do it."""
    op.add_column("payments", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.create_index("payments_one_a_payer", "payments", ["payer"], unique=True, postgresql_where=sa.text("note = ''"))


def downgrade() -> None:
    """Undo it."""
    op.drop_index("payments_one_a_payer", table_name="payments")
    op.drop_column("payments", "note")
