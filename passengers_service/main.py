"""passengers_service: who flies. A table of contents; start reading here."""

from fastapi import FastAPI

from passengers_service.config.database import open_store
from passengers_service.config.rabbit import open_consumer, open_publisher
from passengers_service.config.settings import PassengersSettings
from passengers_service.models.tables import OUTBOX
from passengers_service.routes import bulk, passengers, sync
from passengers_service.services.bulk.load import Loads
from passengers_service.services.replica import open_replication
from service_kit.api.app import create_app
from service_kit.api.body_spool import SpoolRoom
from service_kit.postgres.relay import OutboxRelay
from service_kit.settings.environment import load_settings


def build(settings: PassengersSettings) -> FastAPI:
    """The API on the servers that `settings` name."""
    store, publisher = open_store(settings), open_publisher(settings)
    replication = open_replication(store, settings)
    return create_app(
        settings,
        description="Passengers. Loads and lists thousands at once, and tells reservations_service of every change.",
        routers=[passengers.router, bulk.router, sync.router],
        resources=[
            store,
            publisher,
            OutboxRelay(store, OUTBOX, publisher),
            replication,
            open_consumer(settings, replication.handlers),
        ],
        services=[
            Loads(store, replication.clock, max_rows=settings.bulk_max_rows),
            SpoolRoom(settings.bulk_spool_max_bytes),
        ],
        tags={
            "passengers": "Registered, loaded by the thousand, read, listed, replaced and deleted.",
            "sync": "Whether this copy of the passengers equals that of reservations_service.",
        },
    )


app = build(load_settings(PassengersSettings))
