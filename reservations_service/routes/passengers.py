"""`/passengers`: this service's copy of them. A change made here reaches passengers_service by an event."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Response
from sqlalchemy import Row

from reservations_service.models.passenger import PassengerEdit, PassengerView
from reservations_service.routes.dependencies import EditorDep
from reservations_service.services.passenger_edits import DocumentFixedError
from reservations_service.services.passengers import PassengerDeletedError, PassengerNotFoundError, read_passenger
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
from service_kit.postgres.dependencies import SessionDep, TransactionRoute
from service_kit.problems import problems

router = APIRouter(prefix="/passengers", tags=["passengers"], route_class=TransactionRoute)

PassengerId = Annotated[UUID, Path(description="The `id` that passengers_service gave.")]

PassengerPatch = Annotated[MergePatch[PassengerEdit], PatchExample(phone="+34600123456")]

_TAGGED: Final[dict[int | str, dict[str, Any]]] = {200: {"headers": ETAG_HEADER}}


def _shown(passenger: Row[*tuple[Any, ...]], response: Response) -> PassengerView:
    response.headers["ETag"] = etag_of(passenger.version)
    return PassengerView.model_validate(passenger)


@router.get(
    "/{passenger_id}",
    summary="Read a passenger",
    response_model=PassengerView,
    responses=_TAGGED | NOT_MODIFIED | problems(PassengerNotFoundError, PassengerDeletedError),
)
async def read(
    passenger_id: PassengerId, session: SessionDep, known: KnownVersions, response: Response
) -> PassengerView | Response:
    """Read one of this service's copies. Its `ETag` is this copy's own: passengers_service counts for itself."""
    passenger = await read_passenger(session, passenger_id)
    return not_modified(known, passenger.version) or _shown(passenger, response)


@router.put(
    "/{passenger_id}",
    summary="Change a passenger",
    responses=_TAGGED | problems(PassengerNotFoundError, PassengerDeletedError, DocumentFixedError, StaleEditError),
)
async def change(
    passenger_id: PassengerId,
    edit: PassengerEdit,
    editor: EditorDep,
    accepted: AcceptedVersions,
    now: NowDep,
    response: Response,
) -> PassengerView:
    """Make a passenger what you send, here and, by the event `passenger.changed`, in passengers_service.

    The document stays as it is: only passengers_service can change it. With the header `If-Match: "3"`, say, which is
    the `ETag` that you read here, the passenger is changed only if nobody has changed it since; else 412.
    """
    return _shown(await editor.edit(passenger_id, edit, accepted=accepted, now=now), response)


@router.patch(
    "/{passenger_id}",
    summary="Change some fields of a passenger",
    dependencies=[TAKES_MERGE_PATCH],
    responses=_TAGGED | problems(PassengerNotFoundError, PassengerDeletedError, DocumentFixedError, StaleEditError),
)
async def patch(
    passenger_id: PassengerId,
    patch: PassengerPatch,
    editor: EditorDep,
    accepted: AcceptedVersions,
    now: NowDep,
    response: Response,
) -> PassengerView:
    """Change the fields given, by a JSON merge patch (RFC 7396): null takes away an `email` or a `phone`.

    The document stays as it is. What differs in nothing changes nothing, and the passenger keeps its `ETag`. `If-Match`
    holds as it does for `PUT`.
    """
    return _shown(await editor.patch(passenger_id, patch, accepted=accepted, now=now), response)
