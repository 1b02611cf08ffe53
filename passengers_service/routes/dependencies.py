"""What the routes ask for. Coroutines, because FastAPI would run plain functions in threads."""

from typing import Annotated

from fastapi import Depends, Request

from passengers_service.services.passengers import Passengers
from service_kit.postgres.dependencies import SessionDep
from service_kit.postgres.store import PostgresStore
from service_kit.replication.hybrid_clock import HybridClock


async def _passengers(request: Request, session: SessionDep) -> Passengers:
    clock: HybridClock = request.app.state.clock
    return Passengers(session, clock)


async def _store(request: Request) -> PostgresStore:
    store: PostgresStore = request.app.state.store
    return store


StoreDep = Annotated[PostgresStore, Depends(_store)]
PassengersDep = Annotated[Passengers, Depends(_passengers)]
