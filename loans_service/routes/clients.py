"""`/clients`. A route parses, calls one thing and answers; the rules are in `services`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from loans_service.models.client import ClientEdit, ClientView, NewClient
from loans_service.models.tables import CLIENT_HISTORY
from loans_service.routes.dependencies import ONCE_EACH, ClientsDep
from loans_service.routes.responses import TAGGED, made
from loans_service.services.client_list import ClientQuery, list_clients
from loans_service.services.clients import Client
from loans_service.services.errors import (
    ClientHasLoansError,
    ClientNotFoundError,
    DocumentTakenError,
    ExternalIdTakenError,
    IdTakenError,
)
from loans_service.services.history_list import HistoryEntry, HistoryQuery, read_history
from service_kit.accounts.guard import AccountsDep, CallerDep, OriginDep
from service_kit.api.etags import (
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

router = APIRouter(prefix="/clients", tags=["clients"], route_class=TransactionRoute)

ClientId = Annotated[UUID, Path(description="The `id` that `POST /clients` has answered, or that you made.")]


ClientPatch = Annotated[MergePatch[ClientEdit], PatchExample(phone="+525587654321")]


class ClientPage(Page[ClientView]):
    """One page of clients."""

    total: Annotated[int | None, Field(description="With `with_total`: all that match, 10,000 at most.")] = None
    total_is_exact: bool | None = None


def _shown(client: Client, response: Response) -> ClientView:
    response.headers["ETag"] = etag_of(client.version)
    return client.view


@router.post(
    "",
    status_code=201,
    summary="Register a client",
    responses=made(ClientView, "client") | problems(DocumentTakenError, ExternalIdTakenError, IdTakenError),
)
@router.post("/", status_code=201, include_in_schema=False)
async def create(new_client: NewClient, clients: ClientsDep, response: Response) -> ClientView:
    """Register a client, who is 18 or older.

    A document's number has to be one: its check digits are verified. With an `id` that you made (a UUID of version 7)
    it can be sent again without harm: the same client is answered as it is now, another one with 409.
    """
    client = await clients.register(new_client)
    response.status_code = 201 if client.is_new else 200
    response.headers["Location"] = f"/clients/{client.view.id}"
    return _shown(client, response)


@router.get(
    "",
    summary="List clients",
    response_model=ClientPage,
    dependencies=[ONCE_EACH],
    responses=PAGED | problems(BadCursorError),
)
@router.get("/", include_in_schema=False, dependencies=[ONCE_EACH])
async def read_page(
    query: Annotated[ClientQuery, Query()], session: SessionDep, caller: CallerDep, request: Request
) -> Response:
    """List clients, by default the newest first; all given filters hold together. Unknown filters are refused."""
    page = await list_clients(session, caller, query)
    answer = Response(page.body, media_type="application/json")
    link_next(request, answer, page.next_cursor)
    return answer


@router.get(
    "/{client_id:uuid}",
    summary="Retrieve a client",
    response_model=ClientView,
    responses=TAGGED | NOT_MODIFIED | problems(ClientNotFoundError),
)
async def read(
    client_id: ClientId, clients: ClientsDep, known: KnownVersions, response: Response
) -> ClientView | Response:
    """Retrieve one; or learn by a 304 that the answer that you have, whose `ETag` you send, still holds."""
    client = await clients.read(client_id)
    return not_modified(known, client.version) or _shown(client, response)


@router.put(
    "/{client_id:uuid}",
    summary="Replace a client",
    responses=TAGGED | problems(ClientNotFoundError, DocumentTakenError, ExternalIdTakenError, StaleEditError),
)
async def replace(
    client_id: ClientId, edit: ClientEdit, clients: ClientsDep, accepted: AcceptedVersions, response: Response
) -> ClientView:
    """Replace all that can be edited: what is left out is taken away.

    With the header `If-Match: "3"`, say, which is the `ETag` that you read, it is replaced only if nobody has changed
    it since; else the answer is 412, and what the other has written stands.
    """
    return _shown(await clients.replace(await clients.editable(client_id, accepted), edit), response)


@router.patch(
    "/{client_id:uuid}",
    summary="Change some fields of a client",
    dependencies=[TAKES_MERGE_PATCH],
    responses=TAGGED | problems(ClientNotFoundError, DocumentTakenError, ExternalIdTakenError, StaleEditError),
)
async def patch(
    client_id: ClientId, patch: ClientPatch, clients: ClientsDep, accepted: AcceptedVersions, response: Response
) -> ClientView:
    """Change the fields given, by a JSON merge patch (RFC 7396); null takes away one that is not required.

    What differs in nothing changes nothing, and the client keeps its `ETag`. `If-Match` holds as it does for `PUT`.
    """
    client = await clients.editable(client_id, accepted)
    return _shown(await clients.replace(client, patch.applied_to(client.view)), response)


@router.delete(
    "/{client_id:uuid}",
    status_code=204,
    summary="Delete a client",
    responses=problems(ClientNotFoundError, ClientHasLoansError, StaleEditError),
)
async def delete(
    client_id: ClientId,
    clients: ClientsDep,
    accounts: AccountsDep,
    session: SessionDep,
    origin: OriginDep,
    *,
    accepted: AcceptedVersions,
) -> None:
    """Delete a client who has no loans, for good, and close its account.

    Its history keeps who has done what and when, but no values.
    """
    await clients.delete(await clients.editable(client_id, accepted))
    await accounts.management.close_of(session, client_id, origin)


@router.get(
    "/{client_id:uuid}/history",
    summary="Read the history of a client",
    dependencies=[ONCE_EACH],
    responses=PAGED | problems(ClientNotFoundError, BadCursorError),
)
async def read_client_history(
    client_id: ClientId,
    query: Annotated[HistoryQuery, Query()],
    session: SessionDep,
    caller: CallerDep,
    request: Request,
    response: Response,
) -> Page[HistoryEntry]:
    """Who has changed what, when; the oldest first. That of a deleted client is there too, without its values."""
    page = await read_history(session, CLIENT_HISTORY, caller, client_id, query)
    link_next(request, response, page.next_cursor)
    return page
