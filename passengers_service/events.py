"""The events of passengers_service, which it also hears: the other side tells of its edits in the same words.

To add a field of a passenger: at the end of `PassengerFields`, in `models/`, and in a migration that appends to each
row's stamps the stamp 1, on both sides.
"""

from datetime import date
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from service_kit.replication.events import ReplicationEvents
from service_kit.replication.rows import FieldChanges, Instant, RowsChanged, Text

SOURCE: Final = "/passengers_service"
PASSENGER_CHANGED: Final = "passenger.changed"
COPY_REQUESTED: Final = "passenger.copy_requested"
COPY_DIGEST: Final = "passenger.copy_digest"

EVENTS: Final = ReplicationEvents(
    source=SOURCE, changed=PASSENGER_CHANGED, copy_requested=COPY_REQUESTED, compared=COPY_DIGEST
)

NODE: Final = 1
"""Which of the two databases makes the stamp."""


class PassengerFields(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides keep of a passenger, in the order of the stamps; in an event, only what has changed.

    Attributes:
        deleted_at: None is alive. Nobody ever sets it back, and an edit of another field leaves it alone: so no late
            edit revives anybody.
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
