"""What the routes ask for. Coroutines, because FastAPI would run plain functions in threads."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from reservations_service.config.settings import ReservationsSettings
from reservations_service.services.passenger_edits import PassengerEditor
from service_kit.postgres.dependencies import SessionDep
from service_kit.replication.hybrid_clock import HybridClock


async def _hold(request: Request) -> timedelta:
    settings: ReservationsSettings = request.app.state.settings
    return timedelta(minutes=settings.hold_minutes)


async def _editor(request: Request, session: SessionDep) -> PassengerEditor:
    clock: HybridClock = request.app.state.clock
    return PassengerEditor(session, clock)


HoldDep = Annotated[timedelta, Depends(_hold)]
EditorDep = Annotated[PassengerEditor, Depends(_editor)]
