"""Reads passengers of our copy, and checks whether they may book. An incomplete row counts as unknown."""

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.models.tables import PASSENGERS
from service_kit.problems import ServiceError

_ROWS: Final = PASSENGERS.c


class PassengerNotFoundError(ServiceError):
    """No passenger has this id, here or yet."""

    status = HTTPStatus.NOT_FOUND
    code = "passenger-not-found"

    def __init__(self, passenger_id: UUID) -> None:
        super().__init__(
            f"There is no passenger {passenger_id} here. A new one is known here within a second of its creation in "
            "passengers_service, later if the broker is away."
        )


class PassengerDeletedError(ServiceError):
    """The passenger was deleted; the reservations can still be read."""

    status = HTTPStatus.NOT_FOUND
    code = "passenger-deleted"

    def __init__(self, passenger_id: UUID) -> None:
        super().__init__(
            f"The passenger {passenger_id} was deleted. What was booked is in /reservations?passenger_id={passenger_id}"
        )


class UnknownPassengerError(ServiceError):
    """The reservation names a passenger that is not known here, or not yet."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unknown-passenger"

    def __init__(self, missing: PassengerNotFoundError) -> None:
        super().__init__(missing.detail)


class DeletedPassengerError(ServiceError):
    """The reservation names a passenger that was deleted."""

    status = HTTPStatus.CONFLICT
    code = "deleted-passenger"

    def __init__(self, passenger_id: UUID) -> None:
        super().__init__(f"The passenger {passenger_id} was deleted, and takes no new reservation.")


async def read_passenger(session: AsyncSession, passenger_id: UUID) -> Row[*tuple[Any, ...]]:
    """Read a passenger of our copy, with its version.

    Raises:
        PassengerNotFoundError: None of this id is known here (404).
        PassengerDeletedError: It was deleted (404).
    """
    row = (await session.execute(select(PASSENGERS).where(_ROWS.id == passenger_id))).one_or_none()
    return require_living(row, passenger_id)


def require_living(row: Row[*tuple[Any, ...]] | None, passenger_id: UUID) -> Row[*tuple[Any, ...]]:
    """Check that a row is that of a passenger who is known here and not deleted; returns it.

    Raises:
        PassengerNotFoundError: There is none, or its creation has not arrived yet (404).
        PassengerDeletedError: It was deleted (404).
    """
    if row is None or not row.is_complete:
        raise PassengerNotFoundError(passenger_id)
    if row.deleted_at is not None:
        raise PassengerDeletedError(passenger_id)
    return row


async def require_bookable(session: AsyncSession, passenger_id: UUID) -> None:
    """Check that a passenger may book, and prevent its deletion until the transaction ends.

    Raises:
        UnknownPassengerError: None of this id is known here (422).
        DeletedPassengerError: It was deleted (409).
    """
    query = select(_ROWS.is_complete, _ROWS.deleted_at).where(_ROWS.id == passenger_id)
    # FOR SHARE does not block other bookings; a deletion of the passenger waits for us, or we for it.
    row = (await session.execute(query.with_for_update(read=True))).one_or_none()
    try:
        require_living(row, passenger_id)
    except PassengerNotFoundError as error:
        raise UnknownPassengerError(error) from None
    except PassengerDeletedError:
        raise DeletedPassengerError(passenger_id) from None
