"""`/reservations`. A route parses, calls one thing and answers; the rules are in `services`."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from reservations_service.models.reservation import NewReservation, Reservation, ReservationEdit, ReservationView
from reservations_service.models.status import IllegalStatusError
from reservations_service.routes.dependencies import HoldDep
from reservations_service.services.booking import IdTakenError, book
from reservations_service.services.departures import DepartureInPastError
from reservations_service.services.editing import (
    NotPendingError,
    edit_reservation,
    patch_reservation,
    remove_reservation,
)
from reservations_service.services.listing import ReservationQuery, list_reservations
from reservations_service.services.passengers import DeletedPassengerError, UnknownPassengerError
from reservations_service.services.rows import ReservationNotFoundError, found
from reservations_service.services.seats import SeatTakenError
from service_kit.api.dependencies import NowDep
from service_kit.api.etags import (
    ETAG_HEADER,
    NOT_MODIFIED,
    AcceptedVersions,
    KnownVersions,
    StaleEditError,
    etag_of,
    not_modified,
)
from service_kit.api.merge_patch import TAKES_MERGE_PATCH, MergePatch, PatchExample
from service_kit.api.pagination import PAGED, link_next
from service_kit.pagination import BadCursorError, Page
from service_kit.postgres.dependencies import SessionDep, TransactionRoute
from service_kit.problems import problems

router = APIRouter(prefix="/reservations", tags=["reservations"], route_class=TransactionRoute)

ReservationId = Annotated[UUID, Path(description="The `id` of the reservation.")]

ReservationPatch = Annotated[MergePatch[ReservationEdit], PatchExample(status="confirmed")]

_LOCATION: Final[dict[str, Any]] = {
    "Location": {"description": "Where the reservation is read.", "required": True, "schema": {"type": "string"}}
}
_BOOKED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Booked before by the same new_reservation, under the id that you made; as it is now.",
        "model": ReservationView,
        "headers": _LOCATION | ETAG_HEADER,
    },
    201: {"description": "Booked, and on disk.", "headers": _LOCATION | ETAG_HEADER},
}
_TAGGED: Final[dict[int | str, dict[str, Any]]] = {200: {"headers": ETAG_HEADER}}


def _shown(reservation: Reservation, response: Response) -> ReservationView:
    response.headers["ETag"] = etag_of(reservation.version)
    return ReservationView.model_validate(reservation)


@router.post(
    "",
    status_code=201,
    summary="Book a seat",
    responses=_BOOKED
    | problems(SeatTakenError, IdTakenError, DeletedPassengerError, UnknownPassengerError, DepartureInPastError),
)
@router.post("/", status_code=201, include_in_schema=False)
async def create(
    new_reservation: NewReservation, session: SessionDep, now: NowDep, hold: HoldDep, response: Response
) -> ReservationView:
    """Hold a seat of a flight for a passenger, until `hold_expires_at`; confirm it before by a change of its status.

    A seat of a flight is sold once. With an `id` that you made (a UUID of version 7) it can be sent again without
    harm: the same reservation is answered with what has become of the first, another one with 409. A departure that
    lies in the past is 422.
    """
    booked = await book(session, new_reservation, now=now, hold=hold)
    response.headers["Location"] = f"/reservations/{booked.reservation.id}"
    response.status_code = 201 if booked.is_new else 200
    return _shown(booked.reservation, response)


@router.get("", summary="List reservations", responses=PAGED | problems(BadCursorError))
@router.get("/", include_in_schema=False)
async def read_page(
    query: Annotated[ReservationQuery, Query()], session: SessionDep, now: NowDep, request: Request, response: Response
) -> Page[ReservationView]:
    """List reservations, the newest first; all given filters hold together. `code` finds a single one."""
    page = await list_reservations(session, query, now=now)
    link_next(request, response, page.next_cursor)
    return page


@router.get(
    "/{reservation_id}",
    summary="Read a reservation",
    response_model=ReservationView,
    responses=_TAGGED | NOT_MODIFIED | problems(ReservationNotFoundError),
)
async def read(
    reservation_id: ReservationId, session: SessionDep, now: NowDep, known: KnownVersions, response: Response
) -> ReservationView | Response:
    """Read one; or learn by a 304 that the answer that you have, whose `ETag` you send, still holds."""
    reservation = (await found(session, reservation_id)).as_of(now)
    return not_modified(known, reservation.version) or _shown(reservation, response)


@router.put(
    "/{reservation_id}",
    summary="Change, confirm or cancel a reservation",
    responses=_TAGGED
    | problems(ReservationNotFoundError, IllegalStatusError, SeatTakenError, DepartureInPastError, StaleEditError),
)
async def change(
    reservation_id: ReservationId,
    edit: ReservationEdit,
    session: SessionDep,
    accepted: AcceptedVersions,
    now: NowDep,
    response: Response,
) -> ReservationView:
    """Make it what you send: all that can be changed, as it is to be; the same again changes nothing.

    A pending one can become `confirmed` or `cancelled`, a confirmed one `cancelled`; a hold expires by itself. Once the
    flight has left it can still be corrected and cancelled, but neither confirmed nor moved to a past departure: 422.

    With the header `If-Match: "3"`, say, which is the `ETag` that you read, it is changed only if nobody has changed
    it since; else the answer is 412, and what the other has written stands.
    """
    return _shown(await edit_reservation(session, reservation_id, edit, accepted=accepted, now=now), response)


@router.patch(
    "/{reservation_id}",
    summary="Change some fields of a reservation",
    dependencies=[TAKES_MERGE_PATCH],
    responses=_TAGGED
    | problems(ReservationNotFoundError, IllegalStatusError, SeatTakenError, DepartureInPastError, StaleEditError),
)
async def patch(
    reservation_id: ReservationId,
    patch: ReservationPatch,
    session: SessionDep,
    accepted: AcceptedVersions,
    now: NowDep,
    response: Response,
) -> ReservationView:
    """Change the fields given, by a JSON merge patch (RFC 7396), within the rules of `PUT`.

    No field can be taken away: null is 422. What differs in nothing changes nothing, and the reservation keeps its
    `ETag`. `If-Match` holds as it does for `PUT`.
    """
    return _shown(await patch_reservation(session, reservation_id, patch, accepted=accepted, now=now), response)


@router.delete(
    "/{reservation_id}",
    status_code=204,
    summary="Remove a pending reservation",
    responses=problems(ReservationNotFoundError, NotPendingError, StaleEditError),
)
async def remove(reservation_id: ReservationId, session: SessionDep, accepted: AcceptedVersions, now: NowDep) -> None:
    """Remove a pending one for good, and free its seat; others are cancelled instead, and stay in the list."""
    await remove_reservation(session, reservation_id, accepted=accepted, now=now)
