"""The books of one loan: rows that have fallen due, rows to come, and money that is held for the next one.

A ledger is folded from the terms and the payments that stand, in the order of their days, and moves only forward. It
refuses nothing, since payments are folded anew when one is reversed: `posting.py` decides what may be paid.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from loans_service.money.dates import days_between
from loans_service.money.due_row import DueRow
from loans_service.money.interest import exactly, interest
from loans_service.money.parts import NOTHING, Parts
from loans_service.money.payments import Booking, Excess, Payment
from loans_service.money.schedule import Plan, Row, Slot, UnsoundTermsError, level_plan, plan_of, schedule
from loans_service.money.terms import ZERO, LoanTerms, Method

Pay = Callable[[LoanTerms, date, Decimal], Parts]
"""Pays as much as an amount covers, on a day, and tells what that was."""


class Ledger:
    """The state of a loan after the events of some days.

    Attributes:
        terms: Of the loan.
        due: Rows that have fallen due, the oldest first.
        coming: Rows that have not.
        amount: What the coming repaying rows are made of; see `Plan`.
        bookings: One a payment, in the order in which they were folded.
        closed_on: The day on which nothing was owed any more.
        day: The day of the last event.
        accrued_since: The interest of the coming principal runs from this day.
    """

    def __init__(self, terms: LoanTerms, plan: Plan | None = None) -> None:
        plan = plan or schedule(terms)
        self.terms = terms
        self.due: list[DueRow] = []
        self.coming: list[Row] = plan.rows
        self.amount = plan.amount
        self.bookings: list[Booking] = []
        self.closed_on: date | None = None
        self.day = terms.disbursed_on
        self._open: list[DueRow] = []
        self.accrued_since = terms.disbursed_on

    @property
    def held(self) -> Decimal:
        """Money that waits for the next row."""
        return sum((booking.held for booking in self.bookings), ZERO)

    @property
    def coming_principal(self) -> Decimal:
        """Principal of the rows to come."""
        return self.coming[0].principal + self.coming[0].balance if self.coming else ZERO

    @property
    def oldest_unpaid(self) -> Slot | None:
        """The oldest row that has fallen due and is not covered."""
        return self._open[0].row.slot if self._open else None

    @property
    def days_past_due(self) -> int:
        """Days since the oldest row that is not covered fell due; 0 until its last day to pay is over."""
        slot = self.oldest_unpaid
        return (self.day - slot.due_on).days if slot and self.day > slot.payable_on else 0

    def owed(self) -> Parts:
        """What is unpaid of the rows that have fallen due."""
        owed = NOTHING
        for row in self._open:
            owed = owed.plus(row.unpaid(self.terms, self.day))
        return owed

    def to_close(self) -> Decimal:
        """What closes the loan on this day, held money not taken off; the fees of the coming rows fall away."""
        return self.owed().total + self.accrued_interest() + self.coming_principal

    def accrued_interest(self) -> Decimal:
        """Interest of the coming principal since the last due date, or what came after it."""
        terms = self.terms
        days = days_between(self.accrued_since, self.day, terms.day_count, terms.due_day)
        return interest(self.coming_principal, terms.annual_rate_percent, days, terms.day_count.base, terms.unit)

    def payoff(self) -> Decimal:
        """What is to be paid to close the loan on this day."""
        return max(ZERO, self.to_close() - self.held)

    def last_instalment(self) -> Decimal | None:
        """What closes the loan as scheduled, where a single row is left to come."""
        if len(self.coming) != 1:
            return None
        return self.owed().total + self.coming[0].total - self.held

    def advance(self, day: date) -> None:
        """Let rows fall due up to a day; money that is held covers them on their due date."""
        while self.coming and self.coming[0].slot.due_on <= day:
            self.day = self.accrued_since = self.coming[0].slot.due_on
            row = self._fall_due()
            self._spend(row.pay)
            self._close_if_covered()
        self.day = max(self.day, day)

    def book(self, payment: Payment) -> Booking:
        """Fold one payment, of this day or a later one."""
        self.advance(payment.paid_on)
        payoff, last_instalment = self.payoff(), self.last_instalment()
        booking = Booking(payment, held=payment.amount)
        self.bookings.append(booking)
        for row in self._open:
            row.count_late_interest(self.terms, self.day)
            self._spend(row.pay, booking)
        if payment.amount == payoff:
            self._pay_off(booking)
        elif payment.amount == last_instalment:
            self._spend(self._fall_due().pay, booking)
        elif booking.held and payment.excess:
            self._prepay(booking, payment.excess)
        self._close_if_covered()
        return booking

    def _fall_due(self) -> DueRow:
        row = DueRow(self.coming.pop(0))
        self.due.append(row)
        self._open.append(row)
        return row

    def _spend(self, pay: Pay, newest: Booking | None = None) -> None:
        """Pay with the money that is held, the oldest first, and note where each payment's money went."""
        for booking in self.bookings:
            if booking.held:
                paid = pay(self.terms, self.day, booking.held)
                booking.held -= paid.total
                if booking is newest:
                    booking.at_once = booking.at_once.plus(paid)
                else:
                    booking.later = booking.later.plus(paid)

    def _settle(self, parts: Parts, newest: Booking) -> None:
        """Spend what is held on parts that belong to no due row."""

        def pay(_terms: LoanTerms, _day: date, amount: Decimal) -> Parts:
            nonlocal parts
            paid = parts.covered_by(amount)
            parts = parts.minus(paid)
            return paid

        self._spend(pay, newest)

    def _pay_off(self, booking: Booking) -> None:
        self._settle(Parts(interest=self.accrued_interest(), principal=self.coming_principal), booking)
        self.coming = []

    def _prepay(self, booking: Booking, excess: Excess) -> None:
        """Repay principal before its time. Too little for that, or too much, stays held."""
        accrued, money, balance = self.accrued_interest(), self.held, self.coming_principal
        if not accrued < money < accrued + balance:
            return
        repaid = money - accrued
        self._settle(Parts(interest=accrued, principal=repaid), booking)
        self.accrued_since = self.day
        plan = self._plan_again(excess, balance - repaid)
        self.coming, self.amount = plan.rows, plan.amount

    def _plan_again(self, excess: Excess, balance: Decimal) -> Plan:
        """New rows on the dates of the coming ones; where too little is left to lower them soundly, fewer rows."""
        slots = self._coming_slots()
        interest_only = sum(slot.number <= self.terms.interest_only_months for slot in slots)
        if excess is Excess.LOWER_INSTALMENT or self.terms.method is Method.BULLET:
            try:
                return level_plan(self.terms, balance, slots, interest_only)
            except UnsoundTermsError:
                pass
        return plan_of(self.terms, balance, slots, interest_only, self.amount)

    def _coming_slots(self) -> Sequence[Slot]:
        """The dates of the coming rows, the first one with the days that are left to it."""
        first, *rest = (row.slot for row in self.coming)
        days = days_between(self.accrued_since, first.due_on, self.terms.day_count, self.terms.due_day)
        return [first._replace(days=days), *rest]

    def _close_if_covered(self) -> None:
        self._open = [row for row in self._open if row.unpaid(self.terms, self.day).total]
        if self.closed_on is None and not self.coming and not self._open:
            self.closed_on = self.day


@exactly
def fold(terms: LoanTerms, payments: Iterable[Payment], until: date | None = None) -> Ledger:
    """The books after all payments, each in its place.

    Args:
        terms: Of the loan.
        payments: Those that stand, in the order in which they arrived.
        until: Let rows fall due up to this day, and leave out later payments.
    """
    ledger = Ledger(terms)
    for payment in sorted(payments, key=attrgetter("paid_on")):
        if until is None or payment.paid_on <= until:
            ledger.book(payment)
    if until is not None:
        ledger.advance(until)
    return ledger
