"""Our side of the passengers, of which reservations_service has a copy."""

from functools import partial
from typing import Final

from passengers_service.events import EVENTS, NODE, PassengerFields
from passengers_service.models.passenger import PassengerEdit
from passengers_service.models.tables import COPY_STATE, INBOX, LIST_VERSION, OUTBOX, passengers
from service_kit.fields.rules import FieldRules
from service_kit.postgres.list_version import count_change
from service_kit.postgres.store import PostgresStore
from service_kit.replication.replication import Replication
from service_kit.replication.rules import ChangeRules
from service_kit.replication.settings import SyncSettings
from service_kit.replication.table import ReplicatedTable

PASSENGER_REPLICA: Final = ReplicatedTable(
    rows=passengers,
    fields=PassengerFields,
    rules=ChangeRules(
        fields=FieldRules(PassengerEdit),
        owner=NODE,
        owned=frozenset({"document_type", "document_number", "created_at", "deleted_at"}),
        ownership="only passengers_service registers, deletes and changes documents",
    ),
    events=EVENTS,
    outbox=OUTBOX,
    inbox=INBOX,
    state=COPY_STATE,
    after_merge=partial(count_change, table=LIST_VERSION),
)


def open_replication(store: PostgresStore, settings: SyncSettings) -> Replication[PassengerFields]:
    """The replication of the passengers in a store."""
    return Replication(PASSENGER_REPLICA, store, settings, node=NODE)
