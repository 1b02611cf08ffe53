"""Schedules: of terms that nobody has agreed to yet, of a loan as agreed, and as its payments have changed it."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, Field

from loans_service.models.amounts import AmountText, amount_text, rate_text
from loans_service.models.loan import Figures as FiguresView
from loans_service.models.terms import Terms
from loans_service.money.due_row import DueRow
from loans_service.money.interest import exactly
from loans_service.money.ledger import Ledger, fold
from loans_service.money.schedule import Row, schedule
from loans_service.money.terms import ZERO, LoanTerms
from loans_service.services.books import Books
from loans_service.services.figures import Figures, figures_of, plan_of


class RowState(StrEnum):
    """What has become of a row."""

    SCHEDULED = "scheduled"
    DUE = "due"
    LATE = "late"
    PAID = "paid"


class RowView(BaseModel):
    """One row of a schedule, as the API answers it."""

    number: int
    due_on: Annotated[date, Field(description="Interest is counted up to this day.")]
    payable_on: Annotated[date, Field(description="The row is late only after this day.")]
    principal: AmountText
    interest: AmountText
    fee: AmountText
    total: AmountText
    balance: Annotated[AmountText, Field(description="Principal that is left after it.")]
    paid: Annotated[AmountText, Field(description="Late interest not counted in.")]
    state: RowState


class Schedule(BaseModel):
    """The rows of a loan."""

    currency: str
    rows: list[RowView]


class Quote(FiguresView, Schedule):
    """What a loan of these terms would be."""


COLUMNS: Final = tuple(RowView.model_fields)


def quote(terms: Terms) -> Quote:
    """The schedule, totals and rates of terms; nothing is stored.

    Raises:
        UnsoundTermsRefusedError: With these terms the rows cannot repay the loan evenly (422).
    """
    computable = terms.computable()
    plan = plan_of(computable)
    figures = figures_of(computable, plan)
    return Quote(
        currency=terms.currency, rows=agreed_rows(computable, plan.rows), **figures_view(figures, terms.currency)
    )


def schedule_of(books: Books, today: date, *, original: bool) -> Schedule:
    """The rows of a loan: as its payments have changed them, or as agreed."""
    terms, currency = books.loan.terms, books.loan.view.currency
    if original or not books.is_open:
        return Schedule(currency=currency, rows=agreed_rows(terms, schedule(terms).rows))
    return Schedule(currency=currency, rows=current_rows(fold(terms, books.payments, until=today)))


def figures_view(figures: Figures, currency: str) -> dict[str, object]:
    """Figures as they are answered."""
    cost = figures.annual_cost_percent
    return {
        "instalment": amount_text(figures.instalment, currency),
        "last_due_on": figures.last_due_on,
        "total_interest": amount_text(figures.total_interest, currency),
        "total_fees": amount_text(figures.total_fees, currency),
        "effective_annual_rate_percent": rate_text(figures.effective_annual_rate_percent),
        "annual_cost_percent": None if cost is None else rate_text(cost),
    }


def agreed_rows(terms: LoanTerms, rows: list[Row]) -> list[RowView]:
    """Rows of which nothing is paid."""
    return [_row_view(row, ZERO, RowState.SCHEDULED, terms.currency) for row in rows]


@exactly
def current_rows(ledger: Ledger) -> list[RowView]:
    """The rows of a loan that is paid out, as they are on the ledger's day."""
    return list(_current_rows(ledger))


def _current_rows(ledger: Ledger) -> Iterator[RowView]:
    currency = ledger.terms.currency
    for due in ledger.due:
        paid = due.paid.fee + due.paid.interest + due.paid.principal
        yield _row_view(due.row, paid, _state(ledger, due), currency)
    for row in ledger.coming:
        yield _row_view(row, ZERO, RowState.SCHEDULED, currency)


def _state(ledger: Ledger, due: DueRow) -> RowState:
    if not due.unpaid(ledger.terms, ledger.day).total:
        return RowState.PAID
    return RowState.LATE if ledger.day > due.row.slot.payable_on else RowState.DUE


def _row_view(row: Row, paid: Decimal, state: RowState, currency: str) -> RowView:
    slot = row.slot
    amounts = {name: getattr(row, name) for name in ("principal", "interest", "fee", "total", "balance")} | {
        "paid": paid
    }
    texts = {name: amount_text(amount, currency) for name, amount in amounts.items()}
    return RowView(number=slot.number, due_on=slot.due_on, payable_on=slot.payable_on, state=state, **texts)
