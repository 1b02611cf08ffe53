"""Our side of the passengers that reservations_service has a copy of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from passengers_service.events import (
    COPY_DIGEST,
    COPY_REQUESTED,
    NODE,
    PASSENGER_CHANGED,
    SOURCE,
    PassengerChange,
    PassengerFields,
)
from passengers_service.models.passenger import PassengerEdit
from passengers_service.models.tables import COPY_STATE, INBOX, LIST_VERSION, OUTBOX, PASSENGERS, passengers
from service_kit.fields.rules import FieldRules
from service_kit.postgres.list_version import count_change
from service_kit.replication.hybrid_clock import node_of, stamp_in
from service_kit.replication.replica import Replica


async def merge_changes(session: AsyncSession, changes: Sequence[PassengerChange], now: datetime) -> None:
    """Take what the other side has changed; a list that shows it has a new version."""
    if await PASSENGERS.merge(session, changes, updated_at=now):
        await count_change(session, LIST_VERSION)


_RULES: Final = FieldRules(PassengerEdit)
_OURS: Final = frozenset({"document_type", "document_number", "created_at", "deleted_at"})
"""What this service alone changes, wherever it is told."""


def broken_rule(change: PassengerChange) -> str | None:
    """Which rule a change that was heard breaks: those of `PUT /passengers` hold for it too."""
    told = change.told()
    if node_of(stamp_in(change.stamp)) != NODE and not _OURS.isdisjoint(told):
        return "only passengers_service registers, deletes and changes documents"
    if "deleted_at" in told and told["deleted_at"] is None and "created_at" not in told:
        return "a deletion is for good"
    return _RULES.broken_by(told)


PASSENGER_REPLICA: Final = Replica(
    source=SOURCE,
    changed=PASSENGER_CHANGED,
    copy_requested=COPY_REQUESTED,
    compared=COPY_DIGEST,
    rows=passengers,
    fields=PassengerFields,
    merge=merge_changes,
    check=broken_rule,
    kept="deleted_at",
    outbox=OUTBOX,
    inbox=INBOX,
    state=COPY_STATE,
)
