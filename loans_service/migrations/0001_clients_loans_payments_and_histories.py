"""Clients, loans, payments and histories; what is appended to stays as it is."""

from itertools import chain

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from loans_service.models import forgetting
from service_kit.postgres.append_only import append_only_statements, no_longer_append_only_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPENDED = ("loan_history", "payments", "reversals")


def upgrade() -> None:
    """Do it."""
    op.create_table(
        "client_history",
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="From 1; the version of the subject that it made."),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column(
            "changes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="Field: before and after. Null once the client is deleted.",
        ),
        sa.Column("changes_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "hash", sa.LargeBinary(), nullable=False, comment="Over this entry and the hash of the one before it."
        ),
        sa.PrimaryKeyConstraint("subject_id", "number"),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("document_type", sa.Text(), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("monthly_income", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("income_currency", sa.Text(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="Counts the changes, as its history does; the ETag."
        ),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="Of the new client, as it was sent."),
        sa.CheckConstraint("num_nulls(monthly_income, income_currency) <> 1", name="clients_income_is_whole"),
        sa.CheckConstraint("num_nulls(street, city, country) IN (0, 3)", name="clients_address_is_whole"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "clients_document",
        "clients",
        ["document_number", "document_type"],
        unique=True,
        postgresql_ops={"document_number": "text_pattern_ops"},
    )
    op.create_index("clients_email", "clients", [sa.literal_column("lower(email) text_pattern_ops")], unique=False)
    op.create_index("clients_external_id", "clients", ["external_id"], unique=True)
    op.create_index(
        "clients_first_name", "clients", [sa.literal_column("lower(first_name) text_pattern_ops")], unique=False
    )
    op.create_index(
        "clients_last_name", "clients", [sa.literal_column("lower(last_name) text_pattern_ops")], unique=False
    )
    op.create_index("clients_newest", "clients", ["created_at", "id"], unique=False)
    op.create_index("clients_of_country", "clients", ["country", "created_at", "id"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column(
            "answer", sa.LargeBinary(), nullable=True, comment="The body that the first request was answered with."
        ),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key"),
    )
    op.create_index("idempotency_keys_oldest", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "loan_history",
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="From 1; the version of the subject that it made."),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column(
            "changes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="Field: before and after. Null once the client is deleted.",
        ),
        sa.Column("changes_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "hash", sa.LargeBinary(), nullable=False, comment="Over this entry and the hash of the one before it."
        ),
        sa.PrimaryKeyConstraint("subject_id", "number"),
    )
    op.create_table(
        "loans",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("principal", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("annual_rate_percent", sa.Numeric(precision=10, scale=6), nullable=False),
        sa.Column("term_months", sa.SmallInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("day_count", sa.Text(), nullable=False),
        sa.Column("interest_only_months", sa.SmallInteger(), nullable=False),
        sa.Column("disburse_on", sa.Date(), nullable=False),
        sa.Column("first_due_on", sa.Date(), nullable=False),
        sa.Column("due_day", sa.SmallInteger(), nullable=False),
        sa.Column("opening_fee", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("instalment_fee", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("late_annual_rate_percent", sa.Numeric(precision=10, scale=6), nullable=False),
        sa.Column("late_grace_days", sa.SmallInteger(), nullable=False),
        sa.Column("business_days", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("instalment", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("last_due_on", sa.Date(), nullable=False),
        sa.Column("total_interest", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("total_fees", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("effective_annual_rate_percent", sa.Numeric(precision=20, scale=2), nullable=False),
        sa.Column("annual_cost_percent", sa.Numeric(precision=20, scale=2), nullable=True),
        sa.Column(
            "principal_outstanding",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="On the day of the last payment.",
        ),
        sa.Column(
            "next_unpaid_due_on",
            sa.Date(),
            nullable=True,
            comment="Of the oldest row that is not covered, nor will be by held money.",
        ),
        sa.Column("next_unpaid_payable_on", sa.Date(), nullable=True, comment="The row is late after this day."),
        sa.Column("held_due_on", sa.ARRAY(sa.Date()), server_default="{}", nullable=False),
        sa.Column("held_principal", sa.ARRAY(sa.Numeric(precision=18, scale=2)), server_default="{}", nullable=False),
        sa.Column("disbursed_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("approvals", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("approvals_needed", sa.SmallInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="Counts the changes, as its history does."),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="Of the new loan, as it was sent."),
        sa.CheckConstraint(
            "status IN ('draft', 'approved', 'active', 'paid', 'written_off', 'rejected', 'cancelled')",
            name="loans_known_status",
        ),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="loans_client_id_fkey"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("loans_by_disbursement", "loans", ["disbursed_on", "id"], unique=False)
    op.create_index("loans_by_next_due", "loans", ["next_unpaid_due_on", "id"], unique=False)
    op.create_index("loans_by_principal", "loans", ["principal", "id"], unique=False)
    op.create_index("loans_external_id", "loans", ["external_id"], unique=True)
    op.create_index("loans_newest", "loans", ["created_at", "id"], unique=False)
    op.create_index("loans_of_client", "loans", ["client_id", "created_at", "id"], unique=False)
    op.create_index("loans_of_currency", "loans", ["currency", "created_at", "id"], unique=False)
    op.create_index("loans_of_method", "loans", ["method", "created_at", "id"], unique=False)
    op.create_index("loans_of_rate", "loans", ["annual_rate_percent"], unique=False)
    op.create_index("loans_of_status", "loans", ["status", "created_at", "id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("loan_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="In the order in which they arrived."),
        sa.Column("amount", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("excess", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name="payments_bring_money"),
        sa.ForeignKeyConstraint(
            ["loan_id"],
            ["loans.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("loan_id", "number", name="payments_arrive_in_order"),
    )
    op.create_table(
        "reversals",
        sa.Column("payment_id", sa.UUID(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reversed_by", sa.Text(), nullable=False),
        sa.Column("reversed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payments.id"],
        ),
        sa.PrimaryKeyConstraint("payment_id"),
    )
    for statement in (*chain.from_iterable(map(append_only_statements, _APPENDED)), *forgetting.STATEMENTS):
        op.execute(statement)


def downgrade() -> None:
    """Undo it; the indexes and triggers go with their tables."""
    for table in (
        *("reversals", "payments", "loans", "loan_history"),
        *("idempotency_keys", "clients", "client_history"),
    ):
        op.drop_table(table)
    for statement in (*chain.from_iterable(map(no_longer_append_only_statements, _APPENDED)), *forgetting.UNDOING):
        op.execute(statement)
