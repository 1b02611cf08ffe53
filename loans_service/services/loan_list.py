"""`GET /loans`: which loans, in which order; all of it from stored columns."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.amounts import Amount, CurrencyCode, Rate
from loans_service.models.days import Day
from loans_service.models.status import LoanStatus
from loans_service.models.tables import CLIENTS, LOANS
from loans_service.money.terms import Method
from loans_service.services.client_list import Exact, ListQuery, Prefix, begins_with
from loans_service.services.context import RequestContext
from loans_service.services.keyset import ListedPage, Listing, Sort, list_page
from loans_service.services.loan_rows import shown, visible_loans
from service_kit.fields.uuid7 import KnownId
from service_kit.postgres.search import PLAN_EACH
from service_kit.problems import ServiceError

_ROWS: Final = LOANS.c
_MOST_DAYS: Final = 100_000

SortName = Literal[
    "created_at",
    "-created_at",
    "principal",
    "-principal",
    "disbursed_on",
    "-disbursed_on",
    "next_unpaid_due_on",
    "-next_unpaid_due_on",
]
Days = Annotated[int, Field(ge=0, le=_MOST_DAYS)]


class CurrencyNeededError(ServiceError):
    """Amounts can be compared in one currency alone."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "currency-needed"

    def __init__(self) -> None:
        super().__init__("Send the filter currency too: amounts of different currencies cannot be compared.")


class LoanQuery(ListQuery):
    """Which loans to list."""

    sort: Annotated[SortName, Field(description="Rows without a value come last.")] = "-created_at"
    status: Annotated[
        list[LoanStatus], Field(default_factory=list, max_length=7, description="Once, or several times.")
    ]
    client_id: KnownId | None = None
    currency: CurrencyCode | None = None
    method: Method | None = None
    principal_from: Annotated[Amount | None, Field(alias="principal[gte]", description="With `currency`.")] = None
    principal_to: Annotated[Amount | None, Field(alias="principal[lte]", description="With `currency`.")] = None
    rate_from: Annotated[Rate | None, Field(alias="annual_rate_percent[gte]")] = None
    rate_to: Annotated[Rate | None, Field(alias="annual_rate_percent[lte]")] = None
    disbursed_from: Annotated[Day | None, Field(alias="disbursed_on[gte]")] = None
    disbursed_to: Annotated[Day | None, Field(alias="disbursed_on[lte]")] = None
    due_from: Annotated[Day | None, Field(alias="next_unpaid_due_on[gte]")] = None
    due_to: Annotated[Day | None, Field(alias="next_unpaid_due_on[lte]")] = None
    late_from: Annotated[Days | None, Field(alias="days_past_due[gte]")] = None
    late_to: Annotated[Days | None, Field(alias="days_past_due[lte]")] = None
    external_id: Exact | None = None
    q: Annotated[Prefix | None, Field(description="How the client's names, document or e-mail begin, in any case.")] = (
        None
    )


_FILTERS: Final[Mapping[str, Callable[[Any], ColumnElement[bool]]]] = {
    "status": _ROWS.status.in_,
    "client_id": lambda client_id: _ROWS.client_id == client_id,
    "currency": lambda currency: _ROWS.currency == currency,
    "method": lambda method: _ROWS.method == method,
    "principal_from": lambda amount: _ROWS.principal >= amount,
    "principal_to": lambda amount: _ROWS.principal <= amount,
    "rate_from": lambda rate: _ROWS.annual_rate_percent >= rate,
    "rate_to": lambda rate: _ROWS.annual_rate_percent <= rate,
    "disbursed_from": lambda day: _ROWS.disbursed_on >= day,
    "disbursed_to": lambda day: _ROWS.disbursed_on <= day,
    "due_from": lambda day: _ROWS.next_unpaid_due_on >= day,
    "due_to": lambda day: _ROWS.next_unpaid_due_on <= day,
    "external_id": lambda external_id: _ROWS.external_id == external_id,
    "q": lambda prefix: _ROWS.client_id.in_(select(CLIENTS.c.id).where(begins_with(prefix))),
}


async def list_loans(session: AsyncSession, context: RequestContext, query: LoanQuery) -> ListedPage:
    """One page of the loans that the caller may see.

    Raises:
        CurrencyNeededError: Amounts are compared without a currency (422).
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    if query.currency is None and (query.principal_from is not None or query.principal_to is not None):
        raise CurrencyNeededError
    if query.q:
        await session.execute(PLAN_EACH)
    return await list_page(session, listing_of(context, query), with_total=query.with_total)


def listing_of(context: RequestContext, query: LoanQuery) -> Listing:
    """What PostgreSQL is asked."""
    asked = {name: value for name in _FILTERS if (value := getattr(query, name)) not in (None, [])}
    conditions = [
        visible_loans(context.caller),
        *query.created_within(_ROWS.created_at),
        *_late(context.today, query),
        *(_FILTERS[name](value) for name, value in asked.items()),
    ]
    sort = Sort(query.sort, _ROWS[query.sort.removeprefix("-")])
    return Listing(LOANS, shown(context.today), conditions, sort, query.limit, query.cursor)


def _late(today: date, query: LoanQuery) -> list[ColumnElement[bool]]:
    """Days past due, as ranges of the date from which they count: so they need no job that counts them up."""
    due_on, is_late = _ROWS.next_unpaid_due_on, _ROWS.next_unpaid_payable_on < today
    conditions: list[ColumnElement[bool]] = []
    if query.late_from:
        conditions += [due_on <= today - timedelta(days=query.late_from), is_late]
    if query.late_to is not None:
        within = due_on >= today - timedelta(days=query.late_to)
        conditions.append(or_(due_on.is_(None), within, _ROWS.next_unpaid_payable_on >= today))
    return conditions
