"""How a loan stands by its payments, in a form that stays true while days pass and nobody pays.

Money that is held covers rows when they fall due, with nobody there to write that down: so it is told in advance, on
which day it will repay how much.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from loans_service.money.interest import exactly
from loans_service.money.ledger import Ledger, fold
from loans_service.money.payments import Payment
from loans_service.money.schedule import Slot
from loans_service.money.terms import ZERO, LoanTerms


@dataclass(frozen=True, slots=True)
class Standing:
    """How a loan stands.

    Attributes:
        principal_outstanding: On the day of the last payment.
        next_unpaid: The oldest row that is not covered, nor will be by held money; None if there is none.
        held_repays: What held money will repay of the principal, by day.
        closed_on: When nothing was owed any more.
    """

    principal_outstanding: Decimal
    next_unpaid: Slot | None
    held_repays: Sequence[tuple[date, Decimal]]
    closed_on: date | None

    def outstanding_on(self, day: date) -> Decimal:
        """The principal that is outstanding on a day, which is not before the last payment."""
        return self.principal_outstanding - sum((repaid for due_on, repaid in self.held_repays if due_on <= day), ZERO)


NO_BOOKS = Standing(ZERO, None, (), None)
"""Of a loan that is not paid out."""


def standing(terms: LoanTerms, payments: Sequence[Payment]) -> Standing:
    """How a loan stands after the payments that stand, in the order in which they arrived."""
    return standing_of(fold(terms, payments))


@exactly
def standing_of(ledger: Ledger) -> Standing:
    """How a loan stands by its ledger after all payments, which is moved on and of no use afterwards."""
    outstanding, closed_on = _principal(ledger), ledger.closed_on
    left, repays = outstanding, []
    while ledger.coming and (ledger.held or not ledger.coming[0].total):  # a row of nothing is covered by itself
        due_on = ledger.coming[0].slot.due_on
        ledger.advance(due_on)
        if _principal(ledger) < left:
            repays.append((due_on, left - _principal(ledger)))
            left = _principal(ledger)
    coming = ledger.coming[0].slot if ledger.coming else None
    return Standing(outstanding, ledger.oldest_unpaid or coming, repays, closed_on)


def _principal(ledger: Ledger) -> Decimal:
    return ledger.owed().principal + ledger.coming_principal
