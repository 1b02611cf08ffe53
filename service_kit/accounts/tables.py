"""The tables of accounts. Each service has its own, in its own database.

A service's revision makes them by `migration.py`.
"""

from dataclasses import dataclass

from sqlalchemy import (
    TIMESTAMP,
    UUID,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import BYTEA, INET, JSONB

from service_kit.limits.counts import counts_table
from service_kit.postgres.append_only import append_only

EMAIL_INDEX = "accounts_email_key"
HISTORY = "account_history"

_INSTANT = TIMESTAMP(timezone=True)


@dataclass(frozen=True)
class AccountTables:
    """The tables of one service."""

    accounts: Table
    sessions: Table
    history: Table
    login_counts: Table


def account_tables(metadata: MetaData) -> AccountTables:
    """Add them to a service's tables."""
    return AccountTables(
        _accounts(metadata),
        _sessions(metadata),
        append_only(_history(metadata)),
        counts_table(metadata, "login_counts"),
    )


def _accounts(metadata: MetaData) -> Table:
    return Table(
        "accounts",
        metadata,
        Column("id", UUID, primary_key=True),
        Column("email", Text, nullable=False),
        Column("email_key", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("role", Text, nullable=False),
        Column("subject_id", UUID, comment="Whose data it sees, of a role that sees its own alone."),
        Column("password_hash", Text, nullable=False),
        Column("must_change_password", Boolean, nullable=False, server_default=false()),
        Column("password_expires_at", _INSTANT, comment="Of a password that somebody else has made."),
        Column("is_active", Boolean, nullable=False, server_default=true()),
        Column("version", Integer, nullable=False, server_default=text("1")),
        Column("created_at", _INSTANT, nullable=False),
        Column("updated_at", _INSTANT, nullable=False),
        Index(EMAIL_INDEX, "email_key", unique=True),
        Index("accounts_subject", "subject_id", postgresql_where=text("subject_id IS NOT NULL")),
        Index("accounts_role", "role", "id"),
    )


def _sessions(metadata: MetaData) -> Table:
    """Of a token: generation, salt and time of the last rotation. Of a cookie: the SHA-256 of its secret.

    A kind without an account (a screen on a wall, say) has its role here.
    """
    return Table(
        "sessions",
        metadata,
        Column("id", UUID, primary_key=True),
        Column("account_id", UUID, ForeignKey("accounts.id", ondelete="CASCADE")),
        Column("role", Text),
        Column("kind", Text, nullable=False),
        Column("generation", Integer, nullable=False, server_default=text("1")),
        Column("salt", BYTEA),
        Column("rotated_at", _INSTANT),
        Column("secret_hash", BYTEA, unique=True),
        Column("created_at", _INSTANT, nullable=False, server_default=func.now()),
        Column("last_used_at", _INSTANT, nullable=False, server_default=func.now(), comment="To the minute."),
        Column("idle_ends_at", _INSTANT, nullable=False),
        Column("ends_at", _INSTANT, nullable=False, comment="However much it is used."),
        Column("ended_at", _INSTANT),
        Column("end_reason", Text),
        Column("address", INET),
        Column("agent", Text, nullable=False, server_default=""),
        CheckConstraint("num_nonnulls(account_id, role) = 1", name="sessions_have_an_account_or_a_role"),
        CheckConstraint("num_nonnulls(salt, secret_hash) = 1", name="sessions_have_a_salt_or_a_secret"),
        CheckConstraint("num_nonnulls(ended_at, end_reason) <> 1", name="sessions_end_for_a_reason"),
        Index("sessions_of_account", "account_id", "created_at"),
        Index("sessions_ends_at", "ends_at"),
    )


def _history(metadata: MetaData) -> Table:
    """Without foreign keys: it outlives what it tells of."""
    return Table(
        HISTORY,
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("at", _INSTANT, nullable=False, server_default=func.now()),
        Column("account_id", UUID, comment="Whom it is about; nobody, where an address has no account."),
        Column("actor_id", UUID, comment="Who did it; nobody, if a command or the service itself did."),
        Column("session_id", UUID),
        Column("event", Text, nullable=False),
        Column("details", JSONB, nullable=False, server_default="{}"),
        Column("address", INET),
        Column("agent", Text, nullable=False, server_default=""),
        Column("request_id", Text, nullable=False, server_default=""),
        Index("account_history_account", "account_id", "id"),
        Index("account_history_logins", "account_id", "address", "at", postgresql_where=text("event = 'logged-in'")),
    )
