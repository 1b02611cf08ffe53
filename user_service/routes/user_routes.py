"""`/users`. A route parses, calls one thing and answers; the rules are in `services`."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from service_kit.accounts.passwords import TooManyPasswordsError
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
from service_kit.problems import problems
from user_service.models.user import NewUser, SomeChanges, User, UserView
from user_service.routes.dependencies import StoreDep, UsersDep
from user_service.services.listing import UserQuery, list_users
from user_service.services.users import EmailTakenError, UserNotFoundError

router = APIRouter(prefix="/users", tags=["users"])

UserPatch = Annotated[MergePatch[NewUser], PatchExample(name="Ana María Peña")]
UserId = Annotated[str, Path(description="The `id` that `POST /users/` has answered: 24 hexadecimal characters.")]

_LOCATION: Final[dict[str, Any]] = {
    "Location": {"description": "Where the user is read.", "required": True, "schema": {"type": "string"}}
}
_REGISTERED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"description": "Registered, and journalled.", "headers": _LOCATION | ETAG_HEADER}
}
_TAGGED: Final[dict[int | str, dict[str, Any]]] = {200: {"headers": ETAG_HEADER}}


def _shown(user: User, response: Response) -> UserView:
    response.headers["ETag"] = etag_of(user.version)
    return UserView.of(user)


@router.post(
    "/",
    status_code=201,
    summary="Register a user",
    responses=_REGISTERED | problems(EmailTakenError, TooManyPasswordsError),
)
@router.post("", status_code=201, include_in_schema=False)
async def create(new_user: NewUser, users: UsersDep, now: NowDep, response: Response) -> UserView:
    """Register a user. The password is hashed with bcrypt; no answer contains it."""
    user = await users.register(new_user, now=now)
    response.headers["Location"] = f"/users/{user.id}"
    return _shown(user, response)


@router.get("/", summary="List users", responses=PAGED | problems(BadCursorError))
@router.get("", include_in_schema=False)
async def read_page(
    query: Annotated[UserQuery, Query()], store: StoreDep, request: Request, response: Response
) -> Page[UserView]:
    """List users, the newest first; all given filters hold together."""
    page = await list_users(store, query)
    link_next(request, response, page.next_cursor)
    return page


@router.get(
    "/{user_id}",
    summary="Read a user",
    response_model=UserView,
    responses=_TAGGED | NOT_MODIFIED | problems(UserNotFoundError),
)
async def read(user_id: UserId, users: UsersDep, known: KnownVersions, response: Response) -> UserView | Response:
    """Read one user; or learn by a 304 that the answer that you have, whose `ETag` you send, still holds."""
    user = await users.read(user_id)
    return not_modified(known, user.version) or _shown(user, response)


@router.put(
    "/{user_id}",
    summary="Change a user",
    responses=_TAGGED | problems(UserNotFoundError, EmailTakenError, StaleEditError, TooManyPasswordsError),
)
async def change(
    user_id: UserId, changes: SomeChanges, users: UsersDep, accepted: AcceptedVersions, now: NowDep, response: Response
) -> UserView:
    """Change the fields given, at least one; those that are left out stay as they are.

    With the header `If-Match: "3"`, say, which is the `ETag` that you read, it is changed only if nobody has changed
    it since; else the answer is 412, and what the other has written stands.
    """
    user = await users.change(user_id, changes, accepted=accepted, now=now)
    return _shown(user, response)


@router.patch(
    "/{user_id}",
    summary="Change some fields of a user",
    dependencies=[TAKES_MERGE_PATCH],
    responses=_TAGGED | problems(UserNotFoundError, EmailTakenError, StaleEditError, TooManyPasswordsError),
)
async def patch(
    user_id: UserId,
    patch: UserPatch,
    users: UsersDep,
    accepted: AcceptedVersions,
    now: NowDep,
    response: Response,
) -> UserView:
    """Change the fields given, by a JSON merge patch (RFC 7396). No field of a user can be taken away: null is 422.

    What differs in nothing changes nothing, and the user keeps its `ETag`. `If-Match` holds as it does for `PUT`.
    """
    return _shown(await users.patch(user_id, patch, accepted=accepted, now=now), response)


@router.delete(
    "/{user_id}", status_code=204, summary="Remove a user", responses=problems(UserNotFoundError, StaleEditError)
)
async def remove(user_id: UserId, users: UsersDep, accepted: AcceptedVersions) -> None:
    """Remove a user for good. With the header `If-Match` (see the change of a user), only the version that you read."""
    await users.remove(user_id, accepted=accepted)
