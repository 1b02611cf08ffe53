"""The schedule of a loan: when each row falls due, and what of it is principal, interest and fee."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from loans_service.money.dates import days_between, due_dates, next_business_day
from loans_service.money.interest import exactly, interest
from loans_service.money.terms import ZERO, LoanTerms, Method


class UnsoundTermsError(ValueError):
    """With these terms the rows cannot repay the loan evenly; the message says what to change."""


class Slot(NamedTuple):
    """The dates of one row.

    Attributes:
        number: From 1.
        due_on: Interest is counted up to this day.
        payable_on: The row is late only after this day: the due date, or the next business day.
        days: Of interest, as the loan counts them.
    """

    number: int
    due_on: date
    payable_on: date
    days: int


class Row(NamedTuple):
    """One row of a schedule; `balance` is the principal that is left after it."""

    slot: Slot
    principal: Decimal
    interest: Decimal
    fee: Decimal
    balance: Decimal

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return self.principal + self.interest + self.fee


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows that repay a balance.

    Attributes:
        rows: In the order of their dates, the last one with balance 0.
        amount: What a repaying row is made of: the level instalment without its fee (French), the slice of principal
            (German), 0 (bullet).
    """

    rows: list[Row]
    amount: Decimal


@exactly
def schedule(terms: LoanTerms) -> Plan:
    """The rows of a loan that is paid as agreed: as many as the term has months.

    Raises:
        UnsoundTermsError: A row would repay nothing, or the last one more than twice the others.
    """
    return level_plan(terms, terms.principal, slots(terms), terms.interest_only_months)


def slots(terms: LoanTerms) -> list[Slot]:
    """The dates of all rows."""
    dates = due_dates(terms.first_due_on, terms.due_day, terms.term_months)
    holidays, day_count, due_day = terms.holidays, terms.day_count, terms.due_day
    payable = dates if holidays is None else [next_business_day(day, holidays) for day in dates]
    days = [days_between(start, end, day_count, due_day) for start, end in pairwise([terms.disbursed_on, *dates])]
    return [Slot(*slot) for slot in zip(range(1, terms.term_months + 1), dates, payable, days, strict=True)]


def level_plan(terms: LoanTerms, balance: Decimal, coming: Sequence[Slot], interest_only: int) -> Plan:
    """Repay a balance evenly on all of the coming dates.

    Args:
        terms: Of the loan.
        balance: To repay.
        coming: The dates of the rows.
        interest_only: So many first rows repay nothing.

    Raises:
        UnsoundTermsError: As for `schedule`.
    """
    amount = _amount(terms, balance, coming[interest_only:])
    plan = plan_of(terms, balance, coming, interest_only, amount)
    _require_sound(terms, plan, len(coming), interest_only)
    return plan


def plan_of(terms: LoanTerms, balance: Decimal, coming: Sequence[Slot], interest_only: int, amount: Decimal) -> Plan:
    """Repay a balance by rows of a given amount, on as many of the coming dates as that takes.

    The last of the dates takes whatever is left.
    """
    return Plan(list(_rows(terms, balance, coming, interest_only, amount)), amount)


def _amount(terms: LoanTerms, balance: Decimal, repaying: Sequence[Slot]) -> Decimal:
    match terms.method:
        case Method.BULLET:
            return ZERO
        case Method.GERMAN:
            return (balance / len(repaying)).quantize(terms.unit)
        case Method.FRENCH:
            return (balance / _annuity_factor(terms, repaying)).quantize(terms.unit)


def _annuity_factor(terms: LoanTerms, repaying: Sequence[Slot]) -> Decimal:
    """What instalments of 1 are worth at the start, each row with its own days."""
    worth, factor = Decimal(1), ZERO
    rate, base = terms.annual_rate_percent, 100 * terms.day_count.base
    for slot in repaying:
        worth /= 1 + rate * slot.days / base
        factor += worth
    return factor


def _rows(
    terms: LoanTerms, balance: Decimal, coming: Sequence[Slot], interest_only: int, amount: Decimal
) -> Iterator[Row]:
    rate, base, unit, fee = terms.annual_rate_percent, terms.day_count.base, terms.unit, terms.instalment_fee
    is_french = terms.method is Method.FRENCH
    for place, slot in enumerate(coming, start=1):
        accrued = interest(balance, rate, slot.days, base, unit)
        if place == len(coming):
            principal = balance
        elif place <= interest_only:
            principal = ZERO
        else:
            principal = min(amount - accrued if is_french else amount, balance)
        balance -= principal
        yield Row(slot, principal, accrued, fee, balance)
        if not balance:
            return


def _require_sound(terms: LoanTerms, plan: Plan, count: int, interest_only: int) -> None:
    if terms.method is Method.BULLET:
        return
    repaying = plan.rows[interest_only:]
    if len(plan.rows) < count or any(row.principal < terms.unit for row in repaying):
        raise UnsoundTermsError(
            f"In {count} months some rows would repay less than {terms.unit} {terms.currency}: "
            "take fewer months or a lower rate."
        )
    last = repaying[-1]
    last_amount = last.principal if terms.method is Method.GERMAN else last.principal + last.interest
    if last_amount > 2 * plan.amount:
        raise UnsoundTermsError(
            f"The last row would be {last_amount} {terms.currency}, more than twice the {plan.amount} of the others, "
            "because their rounding grows: take fewer months or a lower rate."
        )
