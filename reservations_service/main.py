"""reservations_service: sells seats, and keeps a copy of the passengers. A table of contents; start reading here."""

from fastapi import FastAPI

from reservations_service.config.database import open_store
from reservations_service.config.rabbit import open_consumer, open_publisher
from reservations_service.config.settings import ReservationsSettings
from reservations_service.models.tables import OUTBOX
from reservations_service.routes import passengers, reservations, sync
from reservations_service.services.expiry import HoldExpiry
from reservations_service.services.replica import open_replication
from service_kit.api.app import create_app
from service_kit.postgres.relay import OutboxRelay
from service_kit.settings.environment import load_settings


def build(settings: ReservationsSettings) -> FastAPI:
    """The API on the servers that `settings` name."""
    store, publisher = open_store(settings), open_publisher(settings)
    replication = open_replication(store, settings)
    return create_app(
        settings,
        description="Reservations. **A seat of a flight is sold once**, and what was answered is on disk.",
        routers=[reservations.router, passengers.router, sync.router],
        resources=[
            store,
            publisher,
            OutboxRelay(store, OUTBOX, publisher),
            HoldExpiry(store),
            replication,
            open_consumer(settings, replication.handlers),
        ],
        tags={
            "reservations": "Booked, read, listed, edited and deleted.",
            "passengers": "The copy of passengers_service's; what is edited here reaches it.",
            "sync": "Whether this copy of the passengers equals that of passengers_service.",
        },
    )


app = build(load_settings(ReservationsSettings))
