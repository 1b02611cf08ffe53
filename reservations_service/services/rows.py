"""Reads one row of `reservations`."""

from http import HTTPStatus
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.models.reservation import Reservation
from reservations_service.models.tables import RESERVATIONS
from service_kit.problems import ServiceError


class ReservationNotFoundError(ServiceError):
    """No reservation has this id."""

    status = HTTPStatus.NOT_FOUND
    code = "reservation-not-found"

    def __init__(self, reservation_id: UUID) -> None:
        super().__init__(
            f"There is no reservation {reservation_id}. To find one by its code, ask /reservations?code=…."
        )


async def found(session: AsyncSession, reservation_id: UUID, *, lock: bool = False) -> Reservation:
    """Read a reservation; with `lock`, its row stays locked until the transaction ends.

    Raises:
        ReservationNotFoundError: There is none (404).
    """
    query = select(RESERVATIONS).where(RESERVATIONS.c.id == reservation_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise ReservationNotFoundError(reservation_id)
    return Reservation.of(row)
