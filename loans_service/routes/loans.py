"""`/loans`. A route parses, calls one thing and answers; the rules are in `services`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from loans_service.models.loan import LoanEdit, LoanView, NewLoan
from loans_service.models.status import NotInThisStatusError
from loans_service.models.tables import LOAN_HISTORY
from loans_service.models.terms import Terms
from loans_service.routes.dependencies import ONCE_EACH, ContextDep, LoansDep
from loans_service.routes.responses import EDIT_REFUSALS, TAGGED, made
from loans_service.services.errors import IdTakenError, LoanNotFoundError, UnsoundTermsRefusedError
from loans_service.services.history_list import HistoryEntry, HistoryQuery, read_history
from loans_service.services.loan_list import CurrencyNeededError, LoanQuery, list_loans
from loans_service.services.loan_rows import Loan, read_loan
from loans_service.services.quotes import Quote, quote
from service_kit.accounts.guard import CallerDep
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

router = APIRouter(prefix="/loans", tags=["loans"], route_class=TransactionRoute)

LoanId = Annotated[UUID, Path(description="The `id` that `POST /loans` has answered, or that you made.")]


class LoanPage(Page[LoanView]):
    """One page of loans."""

    total: Annotated[int | None, Field(description="With `with_total`: all that match, 10,000 at most.")] = None
    total_is_exact: bool | None = None


LoanPatch = Annotated[MergePatch[LoanEdit], PatchExample(notes="Called on Monday.")]


def shown(loan: Loan, response: Response) -> LoanView:
    """The answer of a loan, with its tag."""
    response.headers["ETag"] = etag_of(loan.tag)
    return loan.view


@router.post(
    "",
    status_code=201,
    summary="Draft a loan",
    responses=made(LoanView, "loan") | problems(*EDIT_REFUSALS, IdTakenError),
)
@router.post("/", status_code=201, include_in_schema=False)
async def create(new_loan: NewLoan, loans: LoansDep, response: Response) -> LoanView:
    """Draft a loan; `POST /loans/quote` with the same terms has told its cents.

    With an `id` that you made (a UUID of version 7) it can be sent again without harm: the same loan is answered as it
    is now, another one with 409.
    """
    loan = await loans.draft(new_loan)
    response.status_code = 201 if loan.is_new else 200
    response.headers["Location"] = f"/loans/{loan.view.id}"
    return shown(loan, response)


@router.get(
    "",
    summary="List loans",
    response_model=LoanPage,
    dependencies=[ONCE_EACH],
    responses=PAGED | problems(BadCursorError, CurrencyNeededError),
)
@router.get("/", include_in_schema=False, dependencies=[ONCE_EACH])
async def read_page(
    query: Annotated[LoanQuery, Query()], session: SessionDep, context: ContextDep, request: Request
) -> Response:
    """List loans, by default the newest first; all given filters hold together. Unknown filters are refused."""
    page = await list_loans(session, context, query)
    answer = Response(page.body, media_type="application/json")
    link_next(request, answer, page.next_cursor)
    return answer


@router.post("/quote", summary="Quote a loan", responses=problems(UnsoundTermsRefusedError))
async def quote_loan(terms: Terms) -> Quote:
    """Tell the schedule, the totals and both rates of a loan of these terms; nothing is stored."""
    return quote(terms)


@router.get(
    "/{loan_id:uuid}",
    summary="Retrieve a loan",
    response_model=LoanView,
    responses=TAGGED | NOT_MODIFIED | problems(LoanNotFoundError),
)
async def read(
    loan_id: LoanId, session: SessionDep, context: ContextDep, known: KnownVersions, response: Response
) -> LoanView | Response:
    """Retrieve one; or learn by a 304 that the answer that you have, whose `ETag` you send, still holds.

    The tag changes with the loan, and with each day that it is past due.
    """
    loan = await read_loan(session, context, loan_id)
    return not_modified(known, loan.tag) or shown(loan, response)


@router.put(
    "/{loan_id:uuid}",
    summary="Replace a loan",
    responses=TAGGED | problems(LoanNotFoundError, NotInThisStatusError, *EDIT_REFUSALS, StaleEditError),
)
async def replace(
    loan_id: LoanId, edit: LoanEdit, loans: LoansDep, accepted: AcceptedVersions, response: Response
) -> LoanView:
    """Replace all of a draft, which voids its approvals; of any other loan `notes` and `external_id` alone.

    With the header `If-Match: "3"`, say, which is the `ETag` that you read, it is replaced only if nobody has changed
    it since; else the answer is 412, and what the other has written stands.
    """
    return shown(await loans.replace(await loans.editable(loan_id, accepted), edit), response)


@router.patch(
    "/{loan_id:uuid}",
    summary="Change some fields of a loan",
    dependencies=[TAKES_MERGE_PATCH],
    responses=TAGGED | problems(LoanNotFoundError, NotInThisStatusError, *EDIT_REFUSALS, StaleEditError),
)
async def patch(
    loan_id: LoanId, patch: LoanPatch, loans: LoansDep, accepted: AcceptedVersions, response: Response
) -> LoanView:
    """Change the fields given, by a JSON merge patch (RFC 7396): of a draft all, else `notes` and `external_id` alone.

    What differs in nothing changes nothing, and the loan keeps its `ETag`. `If-Match` holds as it does for `PUT`.
    """
    loan = await loans.editable(loan_id, accepted)
    return shown(await loans.replace(loan, patch.applied_to(loan.view)), response)


@router.delete(
    "/{loan_id:uuid}",
    status_code=204,
    summary="Delete a draft",
    responses=problems(LoanNotFoundError, NotInThisStatusError, StaleEditError),
)
async def delete(loan_id: LoanId, loans: LoansDep, accepted: AcceptedVersions) -> None:
    """Delete a draft for good; its history stays. Other loans are cancelled instead."""
    await loans.delete(await loans.editable(loan_id, accepted))


@router.get(
    "/{loan_id:uuid}/history",
    summary="Read the history of a loan",
    dependencies=[ONCE_EACH],
    responses=PAGED | problems(LoanNotFoundError, BadCursorError),
)
async def read_loan_history(
    loan_id: LoanId,
    query: Annotated[HistoryQuery, Query()],
    session: SessionDep,
    caller: CallerDep,
    request: Request,
    response: Response,
) -> Page[HistoryEntry]:
    """Who has done what, when and why, the oldest first; each entry holds a hash over the one before it."""
    page = await read_history(session, LOAN_HISTORY, caller, loan_id, query)
    link_next(request, response, page.next_cursor)
    return page
