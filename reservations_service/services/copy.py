"""Our copy of the passengers, which belong to passengers_service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.events import COPY_REQUESTED, PASSENGER_CHANGED, SOURCE, PassengerChange, PassengerFields
from reservations_service.models.tables import INBOX, OUTBOX, PASSENGER_ROWS, PASSENGERS
from service_kit.stamped_copies import StampedCopy


async def merge_changes(session: AsyncSession, changes: Sequence[PassengerChange], now: datetime) -> None:
    """Take what the other side has changed."""
    await PASSENGER_ROWS.merge(session, changes, updated_at=now)


PASSENGER_COPY: Final = StampedCopy(
    source=SOURCE,
    changed=PASSENGER_CHANGED,
    copy_requested=COPY_REQUESTED,
    rows=PASSENGERS,
    fields=PassengerFields,
    merge=merge_changes,
    outbox=OUTBOX,
    inbox=INBOX,
)
