"""Books a seat by one insert; the database alone decides who was first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.models.code import draw_code
from reservations_service.models.reservation import NewReservation, Reservation
from reservations_service.models.status import ReservationStatus
from reservations_service.models.tables import RESERVATIONS
from reservations_service.services.departures import require_ahead
from reservations_service.services.passengers import require_bookable
from reservations_service.services.seats import SeatOnFlight, end_overdue_hold, is_held
from service_kit.fields.uuid7 import new_uuid7
from service_kit.problems import ServiceError, StoreUnavailableError

_TRIES: Final = 20
"""A try fails only if its code is taken (with a million reservations, one in a thousand) or the seat was just freed."""


class IdTakenError(ServiceError):
    """Another reservation has this id."""

    status = HTTPStatus.CONFLICT
    code = "id-taken"

    def __init__(self) -> None:
        super().__init__(
            "A reservation of this id was made of another reservation. Send a new new_reservation with a new id."
        )


@dataclass(frozen=True, slots=True)
class Booked:
    """The answer to a new reservation; not new if an earlier request with the same id has booked it."""

    reservation: Reservation
    is_new: bool


async def book(session: AsyncSession, new_reservation: NewReservation, *, now: datetime, hold: timedelta) -> Booked:
    """Hold a seat for a passenger.

    Args:
        session: In a transaction, which the caller commits.
        new_reservation: The request; with an id of its own, a repeat returns the first reservation as it is now.
        now: The instant of the request.
        hold: How long the seat is held without a confirmation.

    Raises:
        SeatTakenError: The seat is held by another reservation (409).
        IdTakenError: The id belongs to another reservation (409).
        DepartureInPastError: The flight has left (422).
        UnknownPassengerError: No passenger of this id is known here (422).
        DeletedPassengerError: The passenger was deleted (409).
    """
    seat = SeatOnFlight(new_reservation.flight_number, new_reservation.departure_at, new_reservation.seat)
    is_taken = await is_held(session, seat, now=now)  # Fail fast without a lock; most conflicts end here.
    if first := await _booked_before(session, new_reservation, now):
        return first
    require_ahead(new_reservation.departure_at, now=now)
    if is_taken:
        raise seat.taken()
    await require_bookable(session, new_reservation.passenger_id)
    await end_overdue_hold(session, seat, now=now)
    row = _row(new_reservation, new_reservation.id or new_uuid7(now), now=now, hold=hold)
    for _ in range(_TRIES):
        inserted = await _insert(session, {**row, "code": draw_code()})
        if inserted:
            return Booked(inserted, is_new=True)
        if first := await _booked_before(session, new_reservation, now):
            return first
        if await is_held(session, seat, now=now):
            raise seat.taken()
    raise StoreUnavailableError


async def _booked_before(session: AsyncSession, new_reservation: NewReservation, now: datetime) -> Booked | None:
    if new_reservation.id is None:
        return None
    row = (await session.execute(select(RESERVATIONS).where(RESERVATIONS.c.id == new_reservation.id))).one_or_none()
    if row is None:
        return None
    if row.fingerprint != new_reservation.fingerprint:
        raise IdTakenError
    return Booked(Reservation.of(row).as_of(now), is_new=False)


def _row(new_reservation: NewReservation, reservation_id: UUID, *, now: datetime, hold: timedelta) -> dict[str, Any]:
    return {
        **new_reservation.model_dump(),
        "id": reservation_id,
        "status": ReservationStatus.PENDING,
        "hold_expires_at": now + hold,
        "created_at": now,
        "updated_at": now,
        "version": 1,
        "fingerprint": new_reservation.fingerprint,
    }


async def _insert(session: AsyncSession, row: dict[str, Any]) -> Reservation | None:
    """Insert the reservation; None if the seat, the code or the id is taken.

    A concurrent transaction for the same seat blocks us until it ends.
    """
    placed = insert(RESERVATIONS).values(row).on_conflict_do_nothing().returning(*RESERVATIONS.c)
    inserted = (await session.execute(placed)).one_or_none()
    return None if inserted is None else Reservation.of(inserted)
