"""reservations_service: sells seats, and keeps a copy of the passengers. A table of contents; start reading here."""

from fastapi import FastAPI

from reservations_service.config.database import open_store
from reservations_service.config.rabbit import open_consumer, open_publisher
from reservations_service.config.settings import ReservationsSettings
from reservations_service.events import NODE
from reservations_service.models.tables import INBOX, OUTBOX, PASSENGERS
from reservations_service.routes import passengers, reservations, sync
from reservations_service.services.expiry import HoldExpiry
from reservations_service.services.replica import PASSENGER_REPLICA
from service_kit.api.app import create_app
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


def build(settings: ReservationsSettings) -> FastAPI:
    """The API on the servers that `settings` name."""
    store, publisher, outbox_listener = open_store(settings), open_publisher(settings), OutboxListener(settings)
    relay = Relay(PostgresOutbox(store.engine, OUTBOX), publisher, notified=outbox_listener.notified)
    clock = HybridClock(NODE, utc_now, settings.max_clock_ahead)
    copy = Replicator(PASSENGER_REPLICA, store, clock, compare_every=settings.sync_check)
    return create_app(
        settings,
        description="Reservations. **A seat of a flight is sold once**, and what was answered is on disk.",
        routers=[reservations.router, passengers.router, sync.router],
        resources=[
            store,
            publisher,
            outbox_listener,
            relay,
            HoldExpiry(store),
            InboxPruning(store.engine, INBOX),
            CopyWatch(copy),
            open_consumer(settings, copy.handlers),
        ],
        services=[
            clock,
            SharedDigest(store, PASSENGERS),
        ],
        tags={
            "reservations": "Booked, read, listed, edited and deleted.",
            "passengers": "The copy of passengers_service's; what is edited here reaches it.",
            "sync": "Whether this copy of the passengers equals that of passengers_service.",
        },
    )


app = build(load_settings(ReservationsSettings))
