"""The status of a reservation, and its allowed changes."""

from enum import StrEnum
from http import HTTPStatus
from typing import Final

from service_kit.problems import ServiceError


class ReservationStatus(StrEnum):
    """Where a reservation stands. Nothing leaves `cancelled` and `expired`; only time makes a pending one `expired`."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


HOLDING_A_SEAT: Final = (ReservationStatus.PENDING, ReservationStatus.CONFIRMED)
"""Statuses in which a reservation holds its seat, and can still be changed."""

_NEXT: Final = {
    ReservationStatus.PENDING: (ReservationStatus.CONFIRMED, ReservationStatus.CANCELLED),
    ReservationStatus.CONFIRMED: (ReservationStatus.CANCELLED,),
}


class IllegalStatusError(ServiceError):
    """A reservation of this status cannot be changed so; the sentence names what it can become."""

    status = HTTPStatus.CONFLICT
    code = "illegal-status-change"

    def __init__(self, current: ReservationStatus) -> None:
        legal = _NEXT.get(current, ())
        rest = f"only become {' or '.join(legal)}" if legal else "no longer be changed"
        super().__init__(f"This reservation is {current}: it can {rest}.", current=current, legal=list(legal))


def require_legal(current: ReservationStatus, wished: ReservationStatus) -> None:
    """Check a caller's change of status; the same status is no change.

    Raises:
        IllegalStatusError: The change is not allowed (409).
    """
    if wished not in (current, *_NEXT.get(current, ())):
        raise IllegalStatusError(current)
