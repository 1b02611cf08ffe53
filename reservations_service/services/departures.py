"""Refuses bookings on flights that have left."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from service_kit.problems import InvalidField, ServiceError

LATITUDE: Final = timedelta(minutes=1)
"""Tolerance: departures are stored to the minute, and a caller's clock may be a minute behind ours."""


class DepartureInPastError(ServiceError):
    """The flight has left: its seats can no longer be booked or confirmed, and nobody can be moved to it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "departure-in-past"

    def __init__(self) -> None:
        sentence = "This departure lies in the past. Choose a later one; a reservation of it can only be cancelled."
        mistake = InvalidField(field="body.departure_at", message=sentence, code=self.code)
        super().__init__(sentence, errors=[mistake.model_dump()])


def require_ahead(departure_at: datetime, *, now: datetime) -> None:
    """Check that a departure is in the future, or at most a minute ago.

    Raises:
        DepartureInPastError: It is longer ago (422).
    """
    if departure_at < now - LATITUDE:
        raise DepartureInPastError
