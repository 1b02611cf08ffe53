"""The events of reservations_service, which it also hears: passengers_service tells of its edits in the same words.

The classes are this service's own and tolerant: passengers_service has rules for what a field may hold, here is only
what PostgreSQL must be able to keep.
"""

from datetime import date
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from service_kit.replication.events import ReplicationEvents
from service_kit.replication.rows import FieldChanges, Instant, RowsChanged, Text

SOURCE: Final = "/reservations_service"
PASSENGER_CHANGED: Final = "passenger.changed"
COPY_REQUESTED: Final = "passenger.copy_requested"
COPY_DIGEST: Final = "passenger.copy_digest"

EVENTS: Final = ReplicationEvents(
    source=SOURCE, changed=PASSENGER_CHANGED, copy_requested=COPY_REQUESTED, compared=COPY_DIGEST
)

NODE: Final = 2
"""Which of the two databases makes the stamp."""

OWNER_NODE: Final = 1
"""That of passengers_service."""

DOCUMENT: Final = ("document_type", "document_number")
"""What only passengers_service changes: a number stays unique when one owner alone decides."""


class PassengerFields(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides keep of a passenger, in the order of the stamps; in an event, only what has changed.

    Attributes:
        deleted_at: None is alive. Nobody ever sets it back, so no late edit revives anybody.
    """

    document_type: Text | UnsetType = UNSET
    document_number: Text | UnsetType = UNSET
    first_name: Text | UnsetType = UNSET
    last_name: Text | UnsetType = UNSET
    email: Text | UnsetType | None = UNSET
    phone: Text | UnsetType | None = UNSET
    birth_date: date | UnsetType = UNSET
    nationality: Text | UnsetType = UNSET
    created_at: Instant | UnsetType = UNSET
    deleted_at: Instant | UnsetType | None = UNSET


PassengerChange = FieldChanges[PassengerFields]
PassengersChanged = RowsChanged[PassengerFields]
