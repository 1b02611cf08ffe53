"""Our copy of the passengers, which belong to passengers_service."""

from typing import Final

from reservations_service.events import DOCUMENT, EVENTS, NODE, OWNER_NODE, PassengerFields
from reservations_service.models.passenger import PassengerEdit
from reservations_service.models.tables import COPY_STATE, INBOX, OUTBOX, PASSENGERS
from service_kit.fields.email import QuickEmailAddress
from service_kit.fields.rules import FieldRules
from service_kit.postgres.store import PostgresStore
from service_kit.replication.replication import Replication
from service_kit.replication.rules import ChangeRules
from service_kit.replication.settings import SyncSettings
from service_kit.replication.table import ReplicatedTable


class _ReceivedPassenger(PassengerEdit):
    """The same rules with a check of addresses that is fast enough for thousands at once."""

    email: QuickEmailAddress | None = None


PASSENGER_REPLICA: Final = ReplicatedTable(
    rows=PASSENGERS,
    fields=PassengerFields,
    rules=ChangeRules(
        fields=FieldRules(_ReceivedPassenger),
        owner=OWNER_NODE,
        owned=frozenset({*DOCUMENT, "created_at", "deleted_at"}),
        ownership="only passengers_service registers, deletes and changes documents",
    ),
    events=EVENTS,
    outbox=OUTBOX,
    inbox=INBOX,
    state=COPY_STATE,
)


def open_replication(store: PostgresStore, settings: SyncSettings) -> Replication[PassengerFields]:
    """The replication of the passengers in a store."""
    return Replication(PASSENGER_REPLICA, store, settings, node=NODE)
