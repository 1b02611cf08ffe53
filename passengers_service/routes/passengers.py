"""`/passengers`. A route parses, calls one thing and answers; the rules are in `services`."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from passengers_service.models.passenger import NewPassenger, PassengerEdit, PassengerView
from passengers_service.models.tables import LIST_VERSION
from passengers_service.routes.dependencies import PassengersDep, StoreDep
from passengers_service.services.errors import (
    DocumentTakenError,
    IdTakenError,
    PassengerDeletedError,
    PassengerNotFoundError,
)
from passengers_service.services.listing import PassengerQuery, list_passengers
from passengers_service.services.passengers import Passenger
from service_kit.api.compression import VARYING, TakesGzip, json_answer
from service_kit.api.dependencies import NowDep
from service_kit.api.etags import (
    ETAG_HEADER,
    NOT_MODIFIED,
    AcceptedVersions,
    KnownVersions,
    StaleEditError,
    etag_of,
    not_modified,
    weak_etag_of,
)
from service_kit.api.merge_patch import TAKES_MERGE_PATCH, MergePatch, PatchExample
from service_kit.api.pagination import PAGED, link_next
from service_kit.pagination import BadCursorError, Page
from service_kit.postgres.dependencies import TransactionRoute
from service_kit.postgres.list_version import list_version
from service_kit.problems import problems

router = APIRouter(prefix="/passengers", tags=["passengers"], route_class=TransactionRoute)

PassengerId = Annotated[UUID, Path(description="The `id` that `POST /passengers` has answered, or that you made.")]

PassengerPatch = Annotated[MergePatch[PassengerEdit], PatchExample(phone="+34600123456")]

_Responses = dict[int | str, dict[str, Any]]

_LOCATION: Final[dict[str, Any]] = {
    "Location": {"description": "Where the passenger is read.", "required": True, "schema": {"type": "string"}}
}
_REGISTERED: Final[_Responses] = {
    200: {
        "description": "The same passenger was registered before, under the id that you made.",
        "model": PassengerView,
        "headers": _LOCATION | ETAG_HEADER,
    },
    201: {"description": "Registered, and on disk.", "headers": _LOCATION | ETAG_HEADER},
}
_TAGGED: Final[_Responses] = {200: {"headers": ETAG_HEADER}}
_LISTED: Final[_Responses] = {200: {"headers": PAGED[200]["headers"] | ETAG_HEADER}}
_ABSENT: Final = (PassengerNotFoundError, PassengerDeletedError)


def _shown(passenger: Passenger, response: Response) -> PassengerView:
    response.headers["ETag"] = etag_of(passenger.version)
    return passenger.view


@router.post(
    "",
    status_code=201,
    summary="Register a passenger",
    responses=_REGISTERED | problems(DocumentTakenError, IdTakenError),
)
@router.post("/", status_code=201, include_in_schema=False)
async def create(
    new_passenger: NewPassenger, passengers: PassengersDep, now: NowDep, response: Response
) -> PassengerView:
    """Register a passenger; reservations_service hears of it, also if the broker is down at the moment.

    With an `id` that you made (a UUID of version 7) it can be sent again without harm.
    """
    passenger = await passengers.register(new_passenger, now=now)
    response.status_code = 201 if passenger.is_new else 200
    response.headers["Location"] = f"/passengers/{passenger.view.id}"
    return _shown(passenger, response)


@router.get(
    "",
    summary="List passengers",
    response_model=Page[PassengerView],
    responses=_LISTED | NOT_MODIFIED | problems(BadCursorError),
)
@router.get("/", include_in_schema=False)
async def read_page(
    query: Annotated[PassengerQuery, Query()],
    store: StoreDep,
    known: KnownVersions,
    takes_gzip: TakesGzip,
    request: Request,
) -> Response:
    """List passengers, the newest first; all given filters hold together.

    Send the `ETag` of the answer that you have in `If-None-Match`: while nothing has changed the answer is 304, and
    costs next to nothing. With `Accept-Encoding: gzip` large pages come compressed.
    """
    async with store.transaction() as session:  # over before the answer is compressed
        version = await list_version(session, LIST_VERSION)  # before the rows: they are as new as it, or newer
        if unchanged := not_modified(known, version, weak_etag_of, VARYING):
            return unchanged
        page = await list_passengers(session, query)
    answer = await json_answer(page.body, {"ETag": weak_etag_of(version)}, takes_gzip=takes_gzip)
    link_next(request, answer, page.next_cursor)
    return answer


@router.get(
    "/{passenger_id:uuid}",
    summary="Read a passenger",
    response_model=PassengerView,
    responses=_TAGGED | NOT_MODIFIED | problems(*_ABSENT),
)
async def read(
    passenger_id: PassengerId, passengers: PassengersDep, known: KnownVersions, response: Response
) -> PassengerView | Response:
    """Read one passenger; or learn by a 304 that the answer that you have, whose `ETag` you send, still holds."""
    passenger = await passengers.read(passenger_id)
    return not_modified(known, passenger.version) or _shown(passenger, response)


@router.put(
    "/{passenger_id:uuid}",
    summary="Replace a passenger",
    responses=_TAGGED | problems(*_ABSENT, DocumentTakenError, StaleEditError),
)
async def replace(
    passenger_id: PassengerId,
    edit: PassengerEdit,
    passengers: PassengersDep,
    accepted: AcceptedVersions,
    now: NowDep,
    response: Response,
) -> PassengerView:
    """Replace all that can be edited: an `email` or `phone` that is left out is taken away.

    With the header `If-Match: "3"`, say, which is the `ETag` that you read, it is replaced only if nobody has changed
    it since; else the answer is 412, and what the other has written stands.
    """
    return _shown(await passengers.replace(passenger_id, edit, accepted=accepted, now=now), response)


@router.patch(
    "/{passenger_id:uuid}",
    summary="Change some fields of a passenger",
    dependencies=[TAKES_MERGE_PATCH],
    responses=_TAGGED | problems(*_ABSENT, DocumentTakenError, StaleEditError),
)
async def patch(
    passenger_id: PassengerId,
    patch: PassengerPatch,
    passengers: PassengersDep,
    accepted: AcceptedVersions,
    now: NowDep,
    response: Response,
) -> PassengerView:
    """Change the fields given, by a JSON merge patch (RFC 7396): null takes away an `email` or a `phone`.

    What differs in nothing changes nothing, and the passenger keeps its `ETag`. `If-Match` holds as it does for `PUT`.
    """
    return _shown(await passengers.patch(passenger_id, patch, accepted=accepted, now=now), response)


@router.delete(
    "/{passenger_id:uuid}",
    status_code=204,
    summary="Delete a passenger",
    responses=problems(*_ABSENT, StaleEditError),
)
async def delete(passenger_id: PassengerId, passengers: PassengersDep, accepted: AcceptedVersions, now: NowDep) -> None:
    """Delete a passenger for good, in both services. With `If-Match` (see `PUT`), only the version that you read."""
    await passengers.delete(passenger_id, accepted=accepted, now=now)
