"""Our copy of the passengers, which belong to passengers_service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.events import (
    COPY_DIGEST,
    COPY_REQUESTED,
    DOCUMENT,
    NODE,
    PASSENGER_CHANGED,
    SOURCE,
    PassengerChange,
    PassengerFields,
)
from reservations_service.models.passenger import PassengerEdit
from reservations_service.models.tables import COPY_STATE, INBOX, OUTBOX, PASSENGER_ROWS, PASSENGERS
from service_kit.fields.email import QuickEmailAddress
from service_kit.fields.rules import FieldRules
from service_kit.replication.hybrid_clock import node_of, stamp_in
from service_kit.replication.replica import Replica


async def merge_changes(session: AsyncSession, changes: Sequence[PassengerChange], now: datetime) -> None:
    """Take what the other side has changed."""
    await PASSENGER_ROWS.merge(session, changes, updated_at=now)


class _KnownPassenger(PassengerEdit):
    """Any passenger that can be heard of: as one who is changed here, with a check that takes thousands at once."""

    email: QuickEmailAddress | None = None


_RULES: Final = FieldRules(_KnownPassenger)
_THEIRS: Final = frozenset({*DOCUMENT, "created_at", "deleted_at"})


def broken_rule(change: PassengerChange) -> str | None:
    """Which rule a change that was heard breaks: those of `PUT /passengers` hold for it too."""
    told = change.told()
    if node_of(stamp_in(change.stamp)) == NODE and not _THEIRS.isdisjoint(told):
        return "only passengers_service registers, deletes and changes documents"
    if "deleted_at" in told and told["deleted_at"] is None and "created_at" not in told:
        return "a deletion is for good"
    return _RULES.broken_by(told)


PASSENGER_REPLICA: Final = Replica(
    source=SOURCE,
    changed=PASSENGER_CHANGED,
    copy_requested=COPY_REQUESTED,
    compared=COPY_DIGEST,
    rows=PASSENGERS,
    fields=PassengerFields,
    merge=merge_changes,
    check=broken_rule,
    kept="deleted_at",
    outbox=OUTBOX,
    inbox=INBOX,
    state=COPY_STATE,
)
