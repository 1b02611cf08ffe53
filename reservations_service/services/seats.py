"""A seat of a flight is sold once: `seat_sold_once`, a unique index over reservations that hold a seat, decides races.

A hold that is over, but not stored as expired yet, is still in that index. So a sale of its seat first stores the
expiry, in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from sqlalchemy import ColumnElement, and_, not_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import Update

from reservations_service.models.status import ReservationStatus
from reservations_service.models.tables import HOLDS_SEAT, IS_PENDING, RESERVATIONS
from service_kit.problems import ServiceError

SEAT_SOLD_ONCE: Final = "seat_sold_once"
_ROWS: Final = RESERVATIONS.c


class SeatTakenError(ServiceError):
    """Another reservation holds this seat of this flight."""

    status = HTTPStatus.CONFLICT
    code = "seat-taken"

    def __init__(self, seat: str, flight_number: str) -> None:
        super().__init__(f"Seat {seat} of flight {flight_number} at that departure is taken. Choose another one.")


@dataclass(frozen=True, slots=True)
class SeatOnFlight:
    """A seat of a flight, which can be sold once."""

    flight_number: str
    departure_at: datetime
    seat: str

    @property
    def rows(self) -> ColumnElement[bool]:
        """Condition: all reservations of this seat, of any status."""
        return and_(
            _ROWS.flight_number == self.flight_number,
            _ROWS.departure_at == self.departure_at,
            _ROWS.seat == self.seat,
        )

    def taken(self) -> SeatTakenError:
        """The error for a sale of this seat."""
        return SeatTakenError(self.seat, self.flight_number)


def overdue(now: datetime) -> ColumnElement[bool]:
    """Condition: holds that are over, and not stored as expired yet."""
    return and_(IS_PENDING, _ROWS.hold_expires_at <= now)


def expiry_of(condition: ColumnElement[bool]) -> Update:
    """The update that stores the expiry of overdue holds, exactly as `Reservation.as_of` shows it."""
    expired = {"status": ReservationStatus.EXPIRED, "updated_at": _ROWS.hold_expires_at, "version": _ROWS.version + 1}
    return update(RESERVATIONS).where(condition).values(expired)


async def end_overdue_hold(session: AsyncSession, seat: SeatOnFlight, *, now: datetime) -> None:
    """Store the expiry of an overdue hold of a seat, which removes it from the index."""
    await session.execute(expiry_of(and_(seat.rows, overdue(now))))


async def is_held(session: AsyncSession, seat: SeatOnFlight, *, now: datetime) -> bool:
    """Whether a committed reservation holds the seat; locks nothing."""
    held = select(_ROWS.id).where(seat.rows, HOLDS_SEAT, not_(overdue(now)))
    return (await session.execute(held)).first() is not None
