"""The tables of loans_service. Whoever changes one writes its revision too: `init_db --new TEXT`.

What is appended to `client_history`, `loan_history`, `payments` and `reversals` stays as it is.
"""

from typing import Final

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    UUID,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from loans_service.models.forgetting import forgetting
from service_kit.accounts.tables import account_tables
from service_kit.postgres.append_only import append_only

METADATA: Final = MetaData()
ACCOUNTS: Final = account_tables(METADATA)

_Instant: Final = TIMESTAMP(timezone=True)
_Amount: Final = Numeric(18, 2)  # of every currency; answers leave out the decimals that a currency has not
_Rate: Final = Numeric(10, 6)
_Cost: Final = Numeric(20, 2)

EXTERNAL_ID_OF_CLIENT: Final = "clients_external_id"
EXTERNAL_ID_OF_LOAN: Final = "loans_external_id"
DOCUMENT: Final = "clients_document"
CLIENT_OF_LOAN: Final = "loans_client_id_fkey"
"""Names by which a refusal of PostgreSQL is told from another."""

# The indexes for search compare bytes (`text_pattern_ops`): so they find prefixes whatever the database's collation.
CLIENTS: Final = Table(
    "clients",
    METADATA,
    Column("id", UUID, primary_key=True),
    Column("external_id", Text),
    *[Column(name, Text, nullable=False) for name in ("document_type", "document_number", "first_name", "last_name")],
    Column("email", Text, nullable=False),
    Column("phone", Text),
    Column("birth_date", Date, nullable=False),
    *[Column(name, Text) for name in ("street", "city", "region", "postal_code", "country")],
    Column("monthly_income", _Amount),
    Column("income_currency", Text),
    Column("created_at", _Instant, nullable=False),
    Column("updated_at", _Instant, nullable=False),
    Column("version", Integer, nullable=False, comment="Counts the changes, as its history does; the ETag."),
    Column("fingerprint", LargeBinary, nullable=False, comment="Of the new client, as it was sent."),
    CheckConstraint("num_nulls(monthly_income, income_currency) <> 1", name="clients_income_is_whole"),
    CheckConstraint("num_nulls(street, city, country) IN (0, 3)", name="clients_address_is_whole"),
    Index(EXTERNAL_ID_OF_CLIENT, "external_id", unique=True),
    Index(
        DOCUMENT,
        "document_number",
        "document_type",
        unique=True,
        postgresql_ops={"document_number": "text_pattern_ops"},
    ),
    Index("clients_newest", "created_at", "id"),
    Index("clients_of_country", "country", "created_at", "id"),
    Index("clients_last_name", text("lower(last_name) text_pattern_ops")),
    Index("clients_first_name", text("lower(first_name) text_pattern_ops")),
    Index("clients_email", text("lower(email) text_pattern_ops")),
)

LOANS: Final = Table(
    "loans",
    METADATA,
    Column("id", UUID, primary_key=True),
    Column("external_id", Text),
    Column("client_id", UUID, nullable=False),
    Column("principal", _Amount, nullable=False),
    Column("currency", Text, nullable=False),
    Column("annual_rate_percent", _Rate, nullable=False),
    Column("term_months", SmallInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("day_count", Text, nullable=False),
    Column("interest_only_months", SmallInteger, nullable=False),
    Column("disburse_on", Date, nullable=False),
    Column("first_due_on", Date, nullable=False),
    Column("due_day", SmallInteger, nullable=False),
    Column("opening_fee", _Amount, nullable=False),
    Column("instalment_fee", _Amount, nullable=False),
    Column("late_annual_rate_percent", _Rate, nullable=False),
    Column("late_grace_days", SmallInteger, nullable=False),
    Column("business_days", Text),
    Column("notes", Text),
    Column("status", Text, nullable=False),
    # What the terms say, kept beside them so that lists compute nothing.
    Column("instalment", _Amount, nullable=False),
    Column("last_due_on", Date, nullable=False),
    Column("total_interest", _Amount, nullable=False),
    Column("total_fees", _Amount, nullable=False),
    Column("effective_annual_rate_percent", _Cost, nullable=False),
    Column("annual_cost_percent", _Cost),
    # What the payments say; the last two hold what is paid by money that waits for its day.
    Column("principal_outstanding", _Amount, nullable=False, comment="On the day of the last payment."),
    Column("next_unpaid_due_on", Date, comment="Of the oldest row that is not covered, nor will be by held money."),
    Column("next_unpaid_payable_on", Date, comment="The row is late after this day."),
    Column("held_due_on", ARRAY(Date), nullable=False, server_default="{}"),
    Column("held_principal", ARRAY(_Amount), nullable=False, server_default="{}"),
    Column("disbursed_on", Date),
    Column("paid_on", Date),
    Column("approvals", JSONB, nullable=False, server_default="[]"),
    Column("approvals_needed", SmallInteger, nullable=False),
    *[Column(name, Text, nullable=False) for name in ("created_by", "updated_by")],
    *[Column(name, _Instant, nullable=False) for name in ("created_at", "updated_at")],
    Column("version", Integer, nullable=False, comment="Counts the changes, as its history does."),
    Column("fingerprint", LargeBinary, nullable=False, comment="Of the new loan, as it was sent."),
    ForeignKeyConstraint(["client_id"], ["clients.id"], name=CLIENT_OF_LOAN),
    CheckConstraint(
        "status IN ('draft', 'approved', 'active', 'paid', 'written_off', 'rejected', 'cancelled')",
        name="loans_known_status",
    ),
    Index(EXTERNAL_ID_OF_LOAN, "external_id", unique=True),
    # Each list is read in its order; `status` and `client_id` pick few enough to deserve an index of theirs.
    Index("loans_newest", "created_at", "id"),
    Index("loans_by_principal", "principal", "id"),
    Index("loans_by_disbursement", "disbursed_on", "id"),
    Index("loans_by_next_due", "next_unpaid_due_on", "id"),
    Index("loans_of_client", "client_id", "created_at", "id"),
    Index("loans_of_status", "status", "created_at", "id"),
    Index("loans_of_currency", "currency", "created_at", "id"),
    Index("loans_of_method", "method", "created_at", "id"),
    Index("loans_of_rate", "annual_rate_percent"),
)

PAYMENTS: Final = append_only(
    Table(
        "payments",
        METADATA,
        Column("id", UUID, primary_key=True),
        Column("loan_id", UUID, ForeignKey("loans.id"), nullable=False),
        Column("number", Integer, nullable=False, comment="In the order in which they arrived."),
        Column("amount", _Amount, nullable=False),
        Column("paid_on", Date, nullable=False),
        Column("excess", Text),
        Column("reference", Text),
        Column("note", Text),
        Column("created_by", Text, nullable=False),
        Column("created_at", _Instant, nullable=False),
        CheckConstraint("amount > 0", name="payments_bring_money"),
        UniqueConstraint("loan_id", "number", name="payments_arrive_in_order"),
    )
)

REVERSALS: Final = append_only(
    Table(
        "reversals",
        METADATA,
        Column("payment_id", UUID, ForeignKey("payments.id"), primary_key=True),
        Column("reason", Text, nullable=False),
        Column("reversed_by", Text, nullable=False),
        Column("reversed_at", _Instant, nullable=False),
    )
)

IDEMPOTENCY_KEYS: Final = Table(
    "idempotency_keys",
    METADATA,
    Column("account_id", UUID, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("answer", LargeBinary, comment="The body that the first request was answered with."),
    Column("created_at", _Instant, nullable=False),
    Index("idempotency_keys_oldest", "created_at"),
)


def _history(name: str) -> Table:
    return Table(
        name,
        METADATA,
        Column("subject_id", UUID, primary_key=True),
        Column("number", Integer, primary_key=True, comment="From 1; the version of the subject that it made."),
        Column("at", _Instant, nullable=False),
        Column("account_id", UUID, nullable=False),
        Column("by", Text, nullable=False),
        Column("command", Text, nullable=False),
        Column("reason", Text),
        Column("request_id", Text, nullable=False),
        Column(
            "changes", JSONB(none_as_null=True), comment="Field: before and after. Null once the client is deleted."
        ),
        Column("changes_hash", LargeBinary, nullable=False),
        Column("hash", LargeBinary, nullable=False, comment="Over this entry and the hash of the one before it."),
    )


CLIENT_HISTORY: Final = forgetting(_history("client_history"))
LOAN_HISTORY: Final = append_only(_history("loan_history"))
