"""The tables of reservations_service, which `migrations/` creates; the models describe their columns."""

from typing import Final

from sqlalchemy import (
    TIMESTAMP,
    UUID,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA

from reservations_service.events import PassengerFields
from service_kit.postgres.inbox import inbox_table
from service_kit.postgres.outbox import outbox_table
from service_kit.replication.columns import stamped_columns
from service_kit.replication.state import copy_state_table

METADATA: Final = MetaData()
OUTBOX: Final = outbox_table(METADATA)
INBOX: Final = inbox_table(METADATA)
COPY_STATE: Final = copy_state_table(METADATA)

_Instant: Final = TIMESTAMP(timezone=True)
HOLDS_SEAT: Final = text("status IN ('pending', 'confirmed')")
IS_PENDING: Final = text("status = 'pending'")
"""Predicates of indexes. Queries repeat them literally, so that PostgreSQL can use the indexes."""

PASSENGERS: Final = Table(
    "passengers",
    METADATA,
    Column("id", UUID, primary_key=True),
    *[Column(name, Text) for name in ("document_type", "document_number", "first_name", "last_name")],
    *[Column(name, Text) for name in ("email", "phone")],
    Column("birth_date", Date),
    Column("nationality", Text),
    Column("created_at", _Instant),
    Column("deleted_at", _Instant),
    *stamped_columns(PassengerFields),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("updated_at", _Instant, nullable=False),
    # Not unique: passengers_service ensures that, and two edits may arrive in another order than they were made.
    Index("passengers_document", "document_number", "document_type"),
)

RESERVATIONS: Final = Table(
    "reservations",
    METADATA,
    Column("id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    # Passengers are only marked as deleted, never removed, so the reference always holds.
    Column("passenger_id", UUID, ForeignKey("passengers.id"), nullable=False),
    *[Column(name, Text, nullable=False) for name in ("flight_number", "origin", "destination")],
    Column("departure_at", _Instant, nullable=False),
    *[Column(name, Text, nullable=False) for name in ("seat", "cabin", "status")],
    *[Column(name, _Instant, nullable=False) for name in ("hold_expires_at", "created_at", "updated_at")],
    Column("version", Integer, nullable=False),
    Column("fingerprint", BYTEA, nullable=False),
    CheckConstraint("status IN ('pending', 'confirmed', 'cancelled', 'expired')", name="reservations_known_status"),
    CheckConstraint("cabin IN ('economy', 'premium_economy', 'business', 'first')", name="reservations_known_cabin"),
    CheckConstraint("origin <> destination", name="reservations_lead_elsewhere"),
    Index("seat_sold_once", "flight_number", "departure_at", "seat", unique=True, postgresql_where=HOLDS_SEAT),
    Index("reservations_overdue", "hold_expires_at", postgresql_where=IS_PENDING),
    Index("reservations_newest", "created_at", "id"),
    Index("reservations_of_passenger", "passenger_id", "created_at", "id"),
    Index("reservations_of_flight", "flight_number", "created_at", "id"),
    Index("reservations_of_status", "status", "created_at", "id"),
    Index("reservations_of_departure", "departure_at"),
)
