"""`/accounts`: what administrators do with accounts."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from service_kit.accounts.errors import AccountNotFoundError, EmailTakenError, LastAdministratorError
from service_kit.accounts.guard import AccountsDep, OriginDep
from service_kit.accounts.models import (
    AccountQuery,
    AccountView,
    NewAccount,
    NewAccountView,
    SomeAccountChanges,
    TemporaryPassword,
)
from service_kit.accounts.passwords import TooManyPasswordsError
from service_kit.api.etags import (
    ETAG_HEADER,
    NOT_MODIFIED,
    AcceptedVersions,
    KnownVersions,
    StaleEditError,
    etag_of,
    not_modified,
)
from service_kit.api.pagination import PAGED, link_next
from service_kit.pagination import BadCursorError, Page
from service_kit.problems import problems

router = APIRouter(prefix="/accounts", tags=["accounts"])

AccountId = Annotated[UUID, Path(description="The `id` that `POST /accounts` has answered.")]

_TAGGED: Final[dict[int | str, dict[str, Any]]] = {200: {"headers": ETAG_HEADER}}
_LOCATION: Final[dict[str, Any]] = {
    "Location": {"description": "Where the account is read.", "required": True, "schema": {"type": "string"}}
}
_MADE: Final[dict[int | str, dict[str, Any]]] = {201: {"headers": _LOCATION | ETAG_HEADER}}


@router.post(
    "",
    status_code=201,
    summary="Make an account",
    responses=_MADE | problems(EmailTakenError, TooManyPasswordsError),
)
async def create(new: NewAccount, accounts: AccountsDep, origin: OriginDep, response: Response) -> NewAccountView:
    """Make an account. Without a password it gets a random one, which is shown this once."""
    row, temporary = await accounts.management.create(new, origin)
    response.headers["Location"] = f"/accounts/{row.id}"
    response.headers["ETag"] = etag_of(row.version)
    view = NewAccountView.model_validate(row)
    view.temporary_password = temporary.password.get_secret_value() if temporary else None
    return view


@router.get("", summary="List accounts", responses=PAGED | problems(BadCursorError))
async def read_page(
    query: Annotated[AccountQuery, Query()], accounts: AccountsDep, request: Request, response: Response
) -> Page[AccountView]:
    """List accounts, the newest first; all given filters hold together."""
    page = await accounts.listing.page(query)
    link_next(request, response, page.next_cursor)
    return page


@router.get(
    "/{account_id:uuid}",
    summary="Read an account",
    response_model=AccountView,
    responses=_TAGGED | NOT_MODIFIED | problems(AccountNotFoundError),
)
async def read(
    account_id: AccountId, accounts: AccountsDep, known: KnownVersions, response: Response
) -> AccountView | Response:
    """Read one account."""
    row = await accounts.listing.read(account_id)
    response.headers["ETag"] = etag_of(row.version)
    return not_modified(known, row.version) or AccountView.model_validate(row)


@router.patch(
    "/{account_id:uuid}",
    summary="Change an account",
    responses=_TAGGED | problems(AccountNotFoundError, EmailTakenError, LastAdministratorError, StaleEditError),
)
async def change(
    account_id: AccountId,
    changes: SomeAccountChanges,
    accounts: AccountsDep,
    accepted: AcceptedVersions,
    origin: OriginDep,
    response: Response,
) -> AccountView:
    """Change what is given (RFC 7396). A new role, or that it is inactive, counts from the next request on."""
    row = await accounts.management.change(account_id, changes, accepted=accepted, origin=origin)
    response.headers["ETag"] = etag_of(row.version)
    return AccountView.model_validate(row)


@router.delete(
    "/{account_id:uuid}",
    status_code=204,
    summary="Delete an account",
    responses=problems(AccountNotFoundError, LastAdministratorError, StaleEditError),
)
async def delete(account_id: AccountId, accounts: AccountsDep, accepted: AcceptedVersions, origin: OriginDep) -> None:
    """Delete an account and end its sessions. What it has done stays in the history."""
    await accounts.management.delete(account_id, accepted=accepted, origin=origin)


@router.post(
    "/{account_id:uuid}/reset-password",
    summary="Reset a password",
    responses=problems(AccountNotFoundError, TooManyPasswordsError),
)
async def reset_password(account_id: AccountId, accounts: AccountsDep, origin: OriginDep) -> TemporaryPassword:
    """Give an account a random password, shown this once; good for 72 hours, for nothing but choosing another one."""
    temporary = await accounts.passwords.reset(account_id, origin)
    return TemporaryPassword(password=temporary.password.get_secret_value(), expires_at=temporary.expires_at)
