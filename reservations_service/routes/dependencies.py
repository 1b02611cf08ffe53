"""What the routes ask for. Coroutines, because FastAPI would run plain functions in threads."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends

from reservations_service.config.settings import ReservationsSettings
from reservations_service.events import PassengerFields
from reservations_service.services.passenger_edits import PassengerEditor
from service_kit.api.dependencies import provided
from service_kit.postgres.dependencies import SessionDep
from service_kit.replication.replication import Replication

ReplicationDep = Annotated[Replication[PassengerFields], provided(Replication)]


async def _hold(settings: Annotated[ReservationsSettings, provided(ReservationsSettings)]) -> timedelta:
    return timedelta(minutes=settings.hold_minutes)


async def _editor(session: SessionDep, replication: ReplicationDep) -> PassengerEditor:
    return PassengerEditor(session, replication.clock)


HoldDep = Annotated[timedelta, Depends(_hold)]
EditorDep = Annotated[PassengerEditor, Depends(_editor)]
