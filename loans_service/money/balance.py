"""What is owed on a loan on one day, as the books stand now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from loans_service.money.interest import exactly
from loans_service.money.ledger import Ledger, fold
from loans_service.money.parts import Parts
from loans_service.money.payments import Payment
from loans_service.money.schedule import Row
from loans_service.money.terms import LoanTerms

_BUCKETS = ((0, "0"), (30, "1-30"), (60, "31-60"), (90, "61-90"))


@dataclass(frozen=True, slots=True)
class Balance:
    """What is owed.

    Attributes:
        due: Unpaid parts of the rows that have fallen due.
        accrued_interest: Of the coming principal, since the last due date.
        principal_outstanding: Due and coming.
        held: Waits for the next row.
        payoff: Closes the loan on this day.
        days_past_due: Of the oldest row that is not covered; 0 until its last day to pay is over.
        next_row: The next to fall due.
    """

    due: Parts
    accrued_interest: Decimal
    principal_outstanding: Decimal
    held: Decimal
    payoff: Decimal
    days_past_due: int
    next_row: Row | None

    @property
    def bucket(self) -> str:
        """The range of `days_past_due` in which lenders sort loans."""
        return next((name for most, name in _BUCKETS if self.days_past_due <= most), "90+")


@exactly
def balance_on(terms: LoanTerms, payments: Iterable[Payment], day: date) -> Balance:
    """The balance on a day in the past or in the future, by the payments up to it."""
    return balance_of(fold(terms, payments, until=day))


@exactly
def balance_of(ledger: Ledger) -> Balance:
    """The balance of a ledger on its day."""
    due = ledger.owed()
    return Balance(
        due=due,
        accrued_interest=ledger.accrued_interest(),
        principal_outstanding=due.principal + ledger.coming_principal,
        held=ledger.held,
        payoff=ledger.payoff(),
        days_past_due=ledger.days_past_due,
        next_row=ledger.coming[0] if ledger.coming else None,
    )
