"""What may be paid on a loan, and what a payment would do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from loans_service.money.interest import exactly
from loans_service.money.ledger import Ledger, fold
from loans_service.money.payments import (
    AmountExceedsPayoffError,
    BelowAccruedInterestError,
    Booking,
    ChoosePrepaymentError,
    Excess,
    Payment,
)
from loans_service.money.terms import ZERO, LoanTerms


class Posted(NamedTuple):
    """The books after a new payment and all others, and where its money went."""

    ledger: Ledger
    booking: Booking


class PrepaymentChoice(NamedTuple):
    """What the coming rows are after a prepayment.

    Attributes:
        instalment: Total of the first coming row that repays.
        rows: How many are left.
        interest_saved: Beside paying the coming rows as they were.
    """

    instalment: Decimal
    last_due_on: date
    rows: int
    interest_saved: Decimal


@exactly
def post(terms: LoanTerms, payments: Sequence[Payment], new: Payment) -> Posted:
    """Book a new payment, also one that is dated before others.

    Args:
        terms: Of the loan.
        payments: Those that stand, in the order in which they arrived.
        new: Arrived after them.

    Raises:
        AmountExceedsPayoffError: More than closes the loan, on its own day or in the end.
        ChoosePrepaymentError: More than the next row takes is left over, and no `excess` says what to do with it.
        BelowAccruedInterestError: Less is left over than the interest to the day.
    """
    later = [payment for payment in payments if payment.paid_on > new.paid_on]
    ledger = fold(terms, payments, until=new.paid_on)
    _require_bookable(ledger, new)
    booking = ledger.book(new)
    for payment in sorted(later, key=attrgetter("paid_on")):
        ledger.book(payment)
    if ledger.held > ledger.to_close():
        raise AmountExceedsPayoffError(max(ZERO, new.amount - (ledger.held - ledger.to_close())), None)
    return Posted(ledger, booking)


@exactly
def prepayment_choices(terms: LoanTerms, payments: Sequence[Payment], new: Payment) -> dict[Excess, PrepaymentChoice]:
    """What each way to use the excess of a payment would do; empty if nothing would be prepaid.

    Raises:
        AmountExceedsPayoffError: As for `post`.
    """
    earlier = [payment for payment in payments if payment.paid_on <= new.paid_on]
    choices = {}
    for excess in Excess:
        before = fold(terms, earlier, until=new.paid_on)
        try:
            after = post(terms, earlier, replace(new, excess=excess))
        except BelowAccruedInterestError:
            continue
        if after.booking.at_once.principal > before.owed().principal and after.ledger.coming:
            choices[excess] = _choice(before, after.ledger)
    return choices


def _choice(before: Ledger, after: Ledger) -> PrepaymentChoice:
    repaying = next(row for row in after.coming if row.principal)
    saved = _coming_interest(before) - before.accrued_interest() - _coming_interest(after)
    return PrepaymentChoice(repaying.total, after.coming[-1].slot.due_on, len(after.coming), saved)


def _coming_interest(ledger: Ledger) -> Decimal:
    return sum((row.interest for row in ledger.coming), ZERO)


def _require_bookable(ledger: Ledger, payment: Payment) -> None:
    payoff, last_instalment = ledger.payoff(), ledger.last_instalment()
    if payment.amount in (payoff, last_instalment):
        return
    if payment.amount > payoff:
        raise AmountExceedsPayoffError(payoff, last_instalment)
    left_over = payment.amount - ledger.owed().total + ledger.held
    if payment.excess and ledger.held < left_over <= ledger.accrued_interest():
        raise BelowAccruedInterestError(left_over, ledger.accrued_interest())
    if not payment.excess and ledger.coming and left_over > ledger.coming[0].total:
        raise ChoosePrepaymentError(left_over, ledger.coming[0].total)
