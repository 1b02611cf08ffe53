"""What the migrations of services with accounts have in common: the tables of `tables.py`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service_kit.postgres.append_only import append_only_statements, no_longer_append_only_statements


def create_account_tables() -> None:
    """Make the tables as they were at first: a later column comes by a function, and revisions, of its own."""
    _create_history()
    _create_accounts()
    _create_login_counts()
    _create_sessions()


def drop_account_tables() -> None:
    """The way back; the indexes go with their tables."""
    for table in ("sessions", "login_counts", "accounts", "account_history"):
        op.drop_table(table)
    for statement in no_longer_append_only_statements("account_history"):
        op.execute(statement)


def _create_history() -> None:
    op.create_table(
        "account_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("account_id", sa.UUID(), comment="Whom it is about; nobody, where an address has no account."),
        sa.Column("actor_id", sa.UUID(), comment="Who did it; nobody, if a command or the service itself did."),
        sa.Column("session_id", sa.UUID()),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("address", postgresql.INET()),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("account_history_account", "account_history", ["account_id", "id"])
    op.create_index(
        "account_history_logins",
        "account_history",
        ["account_id", "address", "at"],
        postgresql_where=sa.text("event = 'logged-in'"),
    )
    for statement in append_only_statements("account_history"):
        op.execute(statement)


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), comment="Whose data it sees, of a role that sees its own alone."),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "password_expires_at", sa.TIMESTAMP(timezone=True), comment="Of a password that somebody else has made."
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("accounts_email_key", "accounts", ["email_key"], unique=True)
    op.create_index("accounts_role", "accounts", ["role", "id"])
    op.create_index("accounts_subject", "accounts", ["subject_id"], postgresql_where=sa.text("subject_id IS NOT NULL"))


def _create_login_counts() -> None:
    op.create_table(
        "login_counts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Of a fixed window."),
        sa.Column(
            "entries", sa.ARRAY(sa.Float()), server_default="{}", nullable=False, comment="Of a moving one: instants."
        ),
        sa.Column(
            "ends_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="From when the row says nothing any more."
        ),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("login_counts_ends_at", "login_counts", ["ends_at"])


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID()),
        sa.Column("role", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("salt", postgresql.BYTEA()),
        sa.Column("rotated_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("secret_hash", postgresql.BYTEA()),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "last_used_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="To the minute.",
        ),
        sa.Column("idle_ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="However much it is used."),
        sa.Column("ended_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("end_reason", sa.Text()),
        sa.Column("address", postgresql.INET()),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("num_nonnulls(account_id, role) = 1", name="sessions_have_an_account_or_a_role"),
        sa.CheckConstraint("num_nonnulls(ended_at, end_reason) <> 1", name="sessions_end_for_a_reason"),
        sa.CheckConstraint("num_nonnulls(salt, secret_hash) = 1", name="sessions_have_a_salt_or_a_secret"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("sessions_ends_at", "sessions", ["ends_at"])
    op.create_index("sessions_of_account", "sessions", ["account_id", "created_at"])
