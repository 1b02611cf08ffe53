"""Passengers, reservations, outbox and inbox."""

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
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
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
    op.create_index("passengers_document", "passengers", ["document_number", "document_type"], unique=False)
    op.create_table(
        "reservations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("passenger_id", sa.Uuid(), nullable=False),
        sa.Column("flight_number", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("departure_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("cabin", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'confirmed', 'cancelled', 'expired')", name="reservations_known_status"
        ),
        sa.CheckConstraint(
            "cabin IN ('economy', 'premium_economy', 'business', 'first')", name="reservations_known_cabin"
        ),
        sa.CheckConstraint("origin <> destination", name="reservations_lead_elsewhere"),
        sa.ForeignKeyConstraint(["passenger_id"], ["passengers.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index("reservations_newest", "reservations", ["created_at", "id"], unique=False)
    op.create_index("reservations_of_departure", "reservations", ["departure_at"], unique=False)
    op.create_index("reservations_of_flight", "reservations", ["flight_number", "created_at", "id"], unique=False)
    op.create_index("reservations_of_passenger", "reservations", ["passenger_id", "created_at", "id"], unique=False)
    op.create_index("reservations_of_status", "reservations", ["status", "created_at", "id"], unique=False)
    op.create_index(
        "reservations_overdue",
        "reservations",
        ["hold_expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "seat_sold_once",
        "reservations",
        ["flight_number", "departure_at", "seat"],
        unique=True,
        postgresql_where=sa.text("status IN ('pending', 'confirmed')"),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index(
        "seat_sold_once", table_name="reservations", postgresql_where=sa.text("status IN ('pending', 'confirmed')")
    )
    op.drop_index("reservations_overdue", table_name="reservations", postgresql_where=sa.text("status = 'pending'"))
    op.drop_index("reservations_of_status", table_name="reservations")
    op.drop_index("reservations_of_passenger", table_name="reservations")
    op.drop_index("reservations_of_flight", table_name="reservations")
    op.drop_index("reservations_of_departure", table_name="reservations")
    op.drop_index("reservations_newest", table_name="reservations")
    op.drop_table("reservations")
    op.drop_index("passengers_document", table_name="passengers")
    op.drop_table("passengers")
    op.drop_index("outbox_owner", table_name="outbox", postgresql_where=sa.text("owner IS NOT NULL"))
    op.drop_index("outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("inbox_received_at", table_name="inbox")
    op.drop_table("inbox")
