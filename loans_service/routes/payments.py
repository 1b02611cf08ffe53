"""`/loans/{id}/payments`, and what they say: balance and schedule."""

import csv
import io
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, TypeAdapter, WithJsonSchema

from loans_service.models.days import Day
from loans_service.models.loan import Given
from loans_service.models.payment import BalanceView, NewPayment, PaymentQuote, PaymentTerms, PaymentView
from loans_service.models.status import NotInThisStatusError
from loans_service.routes.dependencies import ONCE_EACH, ContextDep, PaymentsDep
from loans_service.routes.loans import LoanId
from loans_service.routes.responses import LOCATION, Responses
from loans_service.routes.turns import TurnRoute
from loans_service.services import idempotency
from loans_service.services.books import balance_view
from loans_service.services.errors import (
    AlreadyReversedError,
    AmountExceedsPayoffRefusedError,
    BelowAccruedInterestRefusedError,
    ChoosePrepaymentRefusedError,
    IdempotencyKeyRequiredError,
    IdempotencyKeyReusedError,
    LoanNotFoundError,
    PaymentNotFoundError,
)
from loans_service.services.payment_list import PaymentPage, PaymentQuery, page_of
from loans_service.services.quotes import COLUMNS, Schedule, schedule_of
from service_kit.api.pagination import PAGED, link_next
from service_kit.fields.idempotency_key import IdempotencyKey, bare_key
from service_kit.pagination import BadCursorError
from service_kit.postgres.dependencies import SessionDep
from service_kit.problems import problems

router = APIRouter(prefix="/loans/{loan_id:uuid}", tags=["payments"], route_class=TurnRoute)

PaymentId = Annotated[UUID, Path(description="The `id` of the payment.")]
KeyHeader = Annotated[
    IdempotencyKey | None,
    WithJsonSchema(TypeAdapter(IdempotencyKey).json_schema()),  # no header is null
    Header(alias="Idempotency-Key", description="Required. Any text of your own, at best a UUID; kept for 90 days."),
]
Original = Annotated[bool, Query(description="The first schedule, as if nothing had been paid.")]
AcceptHeader = Annotated[str, Header(include_in_schema=False)]

_BOOKED: Final[Responses] = {
    201: {
        "description": "Booked, and on disk. Or booked before, by a request with the same `Idempotency-Key`.",
        "model": PaymentView,
        "headers": LOCATION
        | {
            "Idempotent-Replayed": {
                "description": "Present if the payment had been booked before.",
                "schema": {"type": "string", "enum": ["true"]},
            }
        },
    }
}
_AS_CSV: Final[Responses] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


class AsOf(BaseModel):
    """Of which day."""

    model_config = ConfigDict(extra="forbid")

    as_of: Annotated[Day | None, Query(description="By default today; past or future days, as the books stand.")] = None


@router.post(
    "/payments",
    status_code=201,
    summary="Post a payment",
    response_model=PaymentView,
    responses=_BOOKED
    | problems(
        IdempotencyKeyRequiredError,
        LoanNotFoundError,
        NotInThisStatusError,
        AmountExceedsPayoffRefusedError,
        ChoosePrepaymentRefusedError,
        BelowAccruedInterestRefusedError,
        IdempotencyKeyReusedError,
    ),
)
async def pay(
    loan_id: LoanId,
    new_payment: NewPayment,
    payments: PaymentsDep,
    session: SessionDep,
    context: ContextDep,
    *,
    idempotency_key: KeyHeader = None,
) -> Response:
    """Book money that came: it covers what is due, the oldest row first, in it fee, late interest, interest, principal.

    What is over is held for the next row, or repays principal early as `excess` says. The same `Idempotency-Key` and
    body again are answered as the first time, with `Idempotent-Replayed: true`.
    """
    if idempotency_key is None:
        raise IdempotencyKeyRequiredError
    key = bare_key(idempotency_key)
    first = await idempotency.claim(session, context, key, new_payment.fingerprint(loan_id))
    if first is not None:
        booked = PaymentView.model_validate_json(first)
        return _created(booked.loan_id, booked.id, first, {"Idempotent-Replayed": "true"})
    payment = await payments.post(loan_id, new_payment)
    answer = payment.model_dump_json().encode()
    await idempotency.keep_answer(session, context, key, answer)
    return _created(loan_id, payment.id, answer, {})


def _created(loan_id: UUID, payment_id: UUID, body: bytes, headers: dict[str, str]) -> Response:
    location = {"Location": f"/loans/{loan_id}/payments/{payment_id}"}
    return Response(body, 201, location | headers, "application/json")


@router.post(
    "/payments/quote",
    summary="Quote a payment",
    responses=problems(LoanNotFoundError, NotInThisStatusError, AmountExceedsPayoffRefusedError),
)
async def quote_payment(loan_id: LoanId, asked: PaymentTerms, payments: PaymentsDep) -> PaymentQuote:
    """Tell what a payment would cover, what closes the loan, and what both ways to prepay would do; stores nothing."""
    return await payments.quote(loan_id, asked)


@router.get(
    "/payments",
    summary="List the payments of a loan",
    dependencies=[ONCE_EACH],
    responses=PAGED | problems(LoanNotFoundError, BadCursorError),
)
async def read_payments(
    loan_id: LoanId,
    query: Annotated[PaymentQuery, Query()],
    payments: PaymentsDep,
    context: ContextDep,
    request: Request,
    response: Response,
) -> PaymentPage:
    """List them in the order in which they arrived, each with where its money is; reversed ones too."""
    page = page_of((await payments.books(loan_id)).views(context.today), query)
    link_next(request, response, page.next_cursor)
    return page


@router.get(
    "/payments/{payment_id:uuid}",
    summary="Retrieve a payment",
    responses=problems(LoanNotFoundError, PaymentNotFoundError),
)
async def read_payment(
    loan_id: LoanId, payment_id: PaymentId, payments: PaymentsDep, context: ContextDep
) -> PaymentView:
    """Retrieve one, with where its money is."""
    for view in (await payments.books(loan_id)).views(context.today):
        if view.id == payment_id:
            return view
    raise PaymentNotFoundError(payment_id)


@router.post(
    "/payments/{payment_id:uuid}/reverse",
    summary="Reverse a payment",
    responses=problems(LoanNotFoundError, PaymentNotFoundError, AlreadyReversedError, NotInThisStatusError),
)
async def reverse(loan_id: LoanId, payment_id: PaymentId, given: Given, payments: PaymentsDep) -> PaymentView:
    """Take a payment out of the books. It stays visible; later ones are allocated anew, a paid loan is active again."""
    return await payments.reverse(loan_id, payment_id, given.reason)


@router.get("/balance", summary="Read the balance", dependencies=[ONCE_EACH], responses=problems(LoanNotFoundError))
async def read_balance(
    loan_id: LoanId, query: Annotated[AsOf, Query()], payments: PaymentsDep, context: ContextDep
) -> BalanceView:
    """What is owed on a day, by part; what closes the loan on it; how late it is."""
    books, day = await payments.books(loan_id), query.as_of or context.today
    return balance_view(books.balance(day), books.loan.view.currency, day)


@router.get(
    "/schedule",
    summary="Read the schedule",
    response_model=Schedule,
    dependencies=[ONCE_EACH],
    responses=_AS_CSV | problems(LoanNotFoundError),
)
async def read_schedule(
    loan_id: LoanId,
    payments: PaymentsDep,
    context: ContextDep,
    *,
    original: Original = False,
    accept: AcceptHeader = "",
) -> Schedule | Response:
    """The rows, as JSON or, with `Accept: text/csv`, as CSV: as the payments have changed them, or as agreed."""
    schedule = schedule_of(await payments.books(loan_id), context.today, original=original)
    vary = {"Vary": "Accept"}
    if accept.partition(";")[0].strip().lower() == "text/csv":
        return Response(_csv(schedule), headers=vary, media_type="text/csv")
    return Response(schedule.model_dump_json(), headers=vary, media_type="application/json")


def _csv(schedule: Schedule) -> str:
    """By RFC 4180; nothing in it is a text of callers, which a spreadsheet might take for a formula."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    writer.writerows(row.model_dump(mode="json") for row in schedule.rows)
    return file.getvalue()
