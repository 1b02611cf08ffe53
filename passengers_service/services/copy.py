"""Our side of the passengers that reservations_service has a copy of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from passengers_service.events import COPY_REQUESTED, PASSENGER_CHANGED, SOURCE, PassengerChange, PassengerFields
from passengers_service.models.tables import INBOX, LIST_VERSION, OUTBOX, PASSENGERS, passengers
from service_kit.list_version import count_change
from service_kit.stamped_copies import StampedCopy


async def merge_changes(session: AsyncSession, changes: Sequence[PassengerChange], now: datetime) -> None:
    """Take what the other side has changed; a list that shows it has a new version."""
    if await PASSENGERS.merge(session, changes, updated_at=now):
        await count_change(session, LIST_VERSION)


PASSENGER_COPY: Final = StampedCopy(
    source=SOURCE,
    changed=PASSENGER_CHANGED,
    copy_requested=COPY_REQUESTED,
    rows=passengers,
    fields=PassengerFields,
    merge=merge_changes,
    outbox=OUTBOX,
    inbox=INBOX,
)
