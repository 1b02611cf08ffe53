"""Changes and removes reservations, under a lock of the row, so that a second editor sees the change of the first."""

from collections.abc import Collection
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.models.reservation import Reservation, ReservationEdit
from reservations_service.models.status import HOLDING_A_SEAT, IllegalStatusError, ReservationStatus, require_legal
from reservations_service.models.tables import RESERVATIONS
from reservations_service.services.departures import require_ahead
from reservations_service.services.rows import found
from reservations_service.services.seats import SEAT_SOLD_ONCE, SeatOnFlight, end_overdue_hold, is_held
from service_kit.api.etags import StaleEditError, accepts
from service_kit.api.merge_patch import MergePatch
from service_kit.postgres.engine import violated_constraint
from service_kit.problems import ServiceError


class NotPendingError(ServiceError):
    """Only a pending reservation can be removed."""

    status = HTTPStatus.CONFLICT
    code = "not-pending"

    def __init__(self, current: ReservationStatus) -> None:
        way_out = " Cancel it instead." if current is ReservationStatus.CONFIRMED else ""
        super().__init__(f"This reservation is {current}: only a pending one can be removed.{way_out}")


async def edit_reservation(
    session: AsyncSession,
    reservation_id: UUID,
    edit: ReservationEdit,
    *,
    accepted: Collection[int] | None,
    now: datetime,
) -> Reservation:
    """Replace the editable fields of a reservation; an edit without a difference changes nothing.

    Raises:
        ReservationNotFoundError: No reservation has this id (404).
        StaleEditError: Its version is not one of `accepted` (412).
        IllegalStatusError: It cannot become that, or no longer be changed (409).
        DepartureInPastError: It would be confirmed, or moved to a flight, after the departure (422).
        SeatTakenError: Another reservation holds the seat (409).
    """
    return await _edited(session, await _locked(session, reservation_id, accepted, now), edit, now)


async def patch_reservation(
    session: AsyncSession,
    reservation_id: UUID,
    patch: MergePatch[ReservationEdit],
    *,
    accepted: Collection[int] | None,
    now: datetime,
) -> Reservation:
    """Change the fields given of a reservation; as `edit_reservation` does, and with the same errors.

    Raises:
        RequestValidationError: Such a reservation breaks a rule (422).
    """
    current = await _locked(session, reservation_id, accepted, now)
    return await _edited(session, current, patch.applied_to(current), now)


async def _edited(session: AsyncSession, current: Reservation, edit: ReservationEdit, now: datetime) -> Reservation:
    require_legal(current.status, edit.status)
    changes = {name: wished for name, wished in edit.model_dump().items() if wished != getattr(current, name)}
    if not changes:
        return current
    if current.status not in HOLDING_A_SEAT:
        raise IllegalStatusError(current.status)
    if "departure_at" in changes or changes.get("status") is ReservationStatus.CONFIRMED:
        require_ahead(edit.departure_at, now=now)
    if edit.status in HOLDING_A_SEAT and not changes.keys().isdisjoint(SeatOnFlight.__dataclass_fields__):
        await _require_free(session, _seat_of(edit), now)
    return await _changed(session, current, edit, {**changes, "updated_at": now, "version": current.version + 1})


async def remove_reservation(
    session: AsyncSession, reservation_id: UUID, *, accepted: Collection[int] | None, now: datetime
) -> None:
    """Remove a pending reservation for good.

    Raises:
        ReservationNotFoundError: No reservation has this id (404).
        StaleEditError: Its version is not one of `accepted` (412).
        NotPendingError: It is not pending any more (409).
    """
    current = await _locked(session, reservation_id, accepted, now)
    if current.status is not ReservationStatus.PENDING:
        raise NotPendingError(current.status)
    await session.execute(delete(RESERVATIONS).where(RESERVATIONS.c.id == reservation_id))


async def _locked(
    session: AsyncSession, reservation_id: UUID, accepted: Collection[int] | None, now: datetime
) -> Reservation:
    current = (await found(session, reservation_id, lock=True)).as_of(now)
    if not accepts(accepted, current.version):
        raise StaleEditError
    return current


async def _require_free(session: AsyncSession, seat: SeatOnFlight, now: datetime) -> None:
    """Refuse a held seat before the change: avoids a deadlock when two reservations swap seats."""
    if await is_held(session, seat, now=now):
        raise seat.taken()
    await end_overdue_hold(session, seat, now=now)


async def _changed(
    session: AsyncSession, current: Reservation, edit: ReservationEdit, values: dict[str, Any]
) -> Reservation:
    change = update(RESERVATIONS).where(RESERVATIONS.c.id == current.id).values(values).returning(*RESERVATIONS.c)
    try:
        return Reservation.of((await session.execute(change)).one())
    except IntegrityError as error:
        if violated_constraint(error) == SEAT_SOLD_ONCE:
            raise _seat_of(edit).taken() from None
        raise


def _seat_of(edit: ReservationEdit) -> SeatOnFlight:
    return SeatOnFlight(edit.flight_number, edit.departure_at, edit.seat)
