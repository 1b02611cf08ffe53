"""Rates by which loans are compared, in percent with two decimals. They are no money: floats will do."""

from calendar import isleap
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from math import exp, expm1
from typing import Final

from loans_service.money.dates import day_in_month, month_index
from loans_service.money.schedule import Row
from loans_service.money.terms import LoanTerms

_TWO_DECIMALS: Final = Decimal("0.01")
_STEPS: Final = 200
_CLOSE: Final = 1e-14
_FEBRUARY: Final = 2
_MOST_GROWTH: Final = 25.0
"""Of the logarithm of a year's growth; above it a rate says nothing (7 · 10¹² percent)."""


def effective_annual_rate_percent(annual_rate_percent: Decimal) -> Decimal:
    """A year's interest when each month's is added to the balance: 26.82 for a nominal 24."""
    return _percent((1 + float(annual_rate_percent) / 1200) ** 12 - 1)


def annual_cost_percent(terms: LoanTerms, rows: Sequence[Row]) -> Decimal | None:
    """The rate at which the rows are worth what is paid out: CAT without tax, TAE, the EU's APR.

    Source: Directive 2014/17/EU, annex I.

    Returns:
        None where the cost is so high that it cannot be told as a rate (a fee that takes nearly all, due in days).
    """
    years = payment_years(terms.disbursed_on, terms.due_day, [row.slot.due_on for row in rows])
    growth = internal_growth(float(terms.principal - terms.opening_fee), [float(row.total) for row in rows], years)
    return None if growth is None else _percent(expm1(growth))


def payment_years(start: date, due_day: int, dates: Sequence[date]) -> list[float]:
    """Years from a start to each due date: days up to the first due day that is not before the start, then months.

    Source: Directive 2014/17/EU, annex I (c).
    """
    first = day_in_month(month_index(start), due_day)
    if first < start:
        first = day_in_month(month_index(start) + 1, due_day)
    odd = (first - start).days / (366 if _ends_year_with_leap_day(first) else 365)
    origin = month_index(first)
    return [odd + (month_index(day) - origin) / 12 for day in dates]


def _ends_year_with_leap_day(end: date) -> bool:
    """Whether the year that ends on this day has a 29 February."""
    year = end.year if (end.month, end.day) >= (_FEBRUARY, 29) else end.year - 1
    return isleap(year)


def internal_growth(paid_out: float, amounts: Sequence[float], years: Sequence[float]) -> float | None:
    """The yearly growth `y` with `paid_out = Σ amount · exp(-y · years)`; the rate is `exp(y) - 1`.

    What the amounts are worth falls as `y` grows, and bends upwards. So Newton's steps from a `y` that is too low
    rise to the one root and never pass it.

    Args:
        paid_out: At most the sum of the amounts, so that the root is not below 0.
        amounts: What is paid back.
        years: When, from the day on which it is paid out.

    Returns:
        None above a growth of 25.
    """
    growth = 0.0
    for _ in range(_STEPS):
        worth = slope = 0.0
        for amount, year in zip(amounts, years, strict=True):
            discounted = amount * exp(-growth * year)
            worth += discounted
            slope += year * discounted
        step = (worth - paid_out) / slope
        growth += step
        if growth > _MOST_GROWTH:
            return None
        if abs(step) <= _CLOSE * max(1.0, abs(growth)):
            break
    return growth


def _percent(rate: float) -> Decimal:
    return (Decimal(repr(rate)) * 100).quantize(_TWO_DECIMALS, ROUND_HALF_UP)
