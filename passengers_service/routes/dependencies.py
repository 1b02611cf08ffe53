"""What the routes ask for. Coroutines, because FastAPI would run plain functions in threads."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated

from fastapi import Depends, Request

from passengers_service.config.settings import PassengersSettings
from passengers_service.events import PassengerFields
from passengers_service.services.bulk.load import Loads
from passengers_service.services.passengers import Passengers
from service_kit.api.body_spool import SpooledBody, SpoolRoom, spooled
from service_kit.api.dependencies import provided
from service_kit.api.request_stream import Patience, streamed_body
from service_kit.postgres.dependencies import SessionDep
from service_kit.postgres.store import PostgresStore
from service_kit.replication.replication import Replication

ReplicationDep = Annotated[Replication[PassengerFields], provided(Replication)]


async def _passengers(session: SessionDep, replication: ReplicationDep) -> Passengers:
    return Passengers(session, replication.clock)


async def _incoming_body(
    request: Request,
    room: Annotated[SpoolRoom, provided(SpoolRoom)],
    settings: Annotated[PassengersSettings, provided(PassengersSettings)],
) -> AbstractAsyncContextManager[SpooledBody]:
    patience = Patience(
        least_bytes_per_second=settings.bulk_min_bytes_per_second, longest_seconds=settings.bulk_max_seconds
    )
    return spooled(streamed_body(request, settings.bulk_max_bytes, patience), room)


StoreDep = Annotated[PostgresStore, provided(PostgresStore)]
LoadsDep = Annotated[Loads, provided(Loads)]
IncomingBodyDep = Annotated[AbstractAsyncContextManager[SpooledBody], Depends(_incoming_body)]
"""The whole body of a load, once the block begins; until then none of it is read."""
PassengersDep = Annotated[Passengers, Depends(_passengers)]
