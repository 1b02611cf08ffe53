"""The events of reservations_service. It also receives them: passengers_service publishes its edits in the same types.

The classes are this service's own and tolerant: they only demand what PostgreSQL can store.
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
"""The node of our database in stamps."""

OWNER_NODE: Final = 1
"""The node of passengers_service in stamps."""

DOCUMENT: Final = ("document_type", "document_number")
"""Fields that only passengers_service changes, because a single owner can keep them unique."""


class PassengerFields(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides keep of a passenger, in the order of the stamps; in an event, only what has changed.

    Attributes:
        deleted_at: None for a passenger who is not deleted. It is never reset, so no late edit restores a deleted
            passenger.
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
