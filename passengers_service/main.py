"""passengers_service: who flies. A table of contents; start reading here."""

from fastapi import FastAPI

from passengers_service.config.database import open_store
from passengers_service.config.rabbit import open_consumer, open_publisher
from passengers_service.config.settings import PassengersSettings
from passengers_service.events import NODE
from passengers_service.models.tables import INBOX, OUTBOX
from passengers_service.models.tables import passengers as passenger_rows
from passengers_service.routes import bulk, passengers, sync
from passengers_service.services.bulk.load import Loads
from passengers_service.services.replica import PASSENGER_REPLICA
from service_kit.api.app import create_app
from service_kit.api.body_spool import SpoolRoom
from service_kit.clock import utc_now
from service_kit.outbox.relay import Relay
from service_kit.postgres.inbox import InboxPruning
from service_kit.postgres.listener import OutboxListener
from service_kit.postgres.outbox import PostgresOutbox
from service_kit.replication.digest import SharedDigest
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.replication.replicator import Replicator
from service_kit.replication.watch import CopyWatch
from service_kit.settings import load_settings


def build(settings: PassengersSettings) -> FastAPI:
    """The API on the servers that `settings` name."""
    store, publisher, outbox_listener = open_store(settings), open_publisher(settings), OutboxListener(settings)
    relay = Relay(PostgresOutbox(store.engine, OUTBOX), publisher, notified=outbox_listener.notified)
    clock = HybridClock(NODE, utc_now, settings.max_clock_ahead)
    copy = Replicator(PASSENGER_REPLICA, store, clock, compare_every=settings.sync_check)
    return create_app(
        settings,
        description="Passengers. Loads and lists thousands at once, and tells reservations_service of every change.",
        routers=[passengers.router, bulk.router, sync.router],
        resources=[
            store,
            publisher,
            outbox_listener,
            relay,
            InboxPruning(store.engine, INBOX),
            CopyWatch(copy),
            open_consumer(settings, copy.handlers),
        ],
        services=[
            clock,
            SharedDigest(store, passenger_rows),
            Loads(store, clock, max_rows=settings.bulk_max_rows),
            SpoolRoom(settings.bulk_spool_max_bytes),
        ],
        tags={
            "passengers": "Registered, loaded by the thousand, read, listed, replaced and deleted.",
            "sync": "Whether this copy of the passengers equals that of reservations_service.",
        },
    )


app = build(load_settings(PassengersSettings))
