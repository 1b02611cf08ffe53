from dataclasses import replace
from datetime import date
from decimal import Decimal
from math import exp, expm1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans_service.money.rates import (
    annual_cost_percent,
    effective_annual_rate_percent,
    internal_growth,
    payment_years,
)
from loans_service.money.schedule import schedule
from loans_service.money.terms import LoanTerms
from tests.loans_service.money.examples import CHILEAN, HALF_YEAR, YEAR_WITH_OPENING_FEE


@pytest.mark.parametrize(("nominal", "effective"), [("24", "26.82"), ("18.5", "20.15"), ("0", "0.00")])
def test_adds_each_months_interest_to_the_balance(nominal: str, effective: str) -> None:
    assert effective_annual_rate_percent(Decimal(nominal)) == Decimal(effective)


@pytest.mark.parametrize(
    ("terms", "cost"), [(YEAR_WITH_OPENING_FEE, "38.65"), (HALF_YEAR, "19.77"), (CHILEAN, "13.69")]
)
def test_tells_the_yearly_cost(terms: LoanTerms, cost: str) -> None:
    assert annual_cost_percent(terms, schedule(terms).rows) == Decimal(cost)


def nominal_rate(paid_out: float, payments: list[float], first_after: float = 1) -> float:
    """Of monthly payments, in percent with two decimals."""
    growth = internal_growth(paid_out, payments, [(first_after + month) / 12 for month in range(len(payments))])
    assert growth is not None
    return round(1200 * expm1(growth / 12), 2)


@pytest.mark.parametrize(
    ("paid_out", "payments", "first_after", "rate"),
    [
        (5000, [230] * 24, 1, 9.69),
        (6000, [200] * 36, 1 + 19 / 30, 11.82),
        (5000, [250, *[230] * 23], 1, 10.08),
        (5000, [*[230] * 23, 280], 1, 10.50),
        (5000, [250, *[230] * 22, 280], 1, 10.90),
    ],
    ids=["(1)(i)", "(1)(ii)", "(2)(i)", "(3)(i)", "(4)(i)"],
)
def test_agrees_with_regulation_z(paid_out: float, payments: list[float], first_after: float, rate: float) -> None:
    """The examples of 12 CFR Part 1026, appendix J (c)."""
    assert nominal_rate(paid_out, payments, first_after) == rate


@pytest.mark.parametrize(
    ("paid_out", "payments", "days", "rate"),
    [
        (1000, [1200], [546], 12.96),
        (950, [1200], [546], 16.9),
        (1000, [600, 600], [365, 730], 13.07),
    ],
)
def test_agrees_with_directive_98_7(paid_out: float, payments: list[float], days: list[int], rate: float) -> None:
    """The examples in the annex of Directive 98/7/EC."""
    growth = internal_growth(paid_out, payments, [day / 365 for day in days])

    assert growth is not None
    assert round(100 * expm1(growth), 2) == rate


def test_agrees_with_nordea() -> None:
    """Nordea's printed example: 1,500 EUR at 16 % in 36 months, with costs of 45."""
    terms = replace(
        YEAR_WITH_OPENING_FEE,
        currency="EUR",
        principal=Decimal("1500.00"),
        annual_rate_percent=Decimal(16),
        term_months=36,
        opening_fee=Decimal("45.00"),
        instalment_fee=Decimal(0),
    )

    assert annual_cost_percent(terms, schedule(terms).rows) == Decimal("19.78")


@pytest.mark.parametrize(
    ("start", "due_day", "day", "years"),
    [
        (date(2026, 1, 10), 1, date(2026, 3, 1), 22 / 365 + 1 / 12),
        (date(2026, 1, 31), 31, date(2026, 2, 28), 1 / 12),
        (date(2028, 2, 10), 1, date(2028, 3, 1), 20 / 366),
        (date(2028, 2, 10), 29, date(2028, 2, 29), 19 / 366),
        (date(2028, 1, 10), 15, date(2028, 1, 15), 5 / 365),
    ],
)
def test_counts_days_up_to_a_due_day_and_then_months(start: date, due_day: int, day: date, years: float) -> None:
    """Directive 2014/17/EU, annex I (c)."""
    assert payment_years(start, due_day, [day]) == [pytest.approx(years, rel=1e-12)]


def test_has_no_rate_for_a_fee_that_takes_nearly_all() -> None:
    terms = replace(
        YEAR_WITH_OPENING_FEE,
        opening_fee=Decimal("9999.99"),
        term_months=1,
        disbursed_on=date(2026, 2, 27),
    )

    assert annual_cost_percent(terms, schedule(terms).rows) is None


@given(st.lists(st.tuples(st.floats(0.01, 1e9), st.floats(0.01, 40)), min_size=1, max_size=50), st.floats(0, 3))
def test_finds_the_growth_that_was_put_in(amounts_and_years: list[tuple[float, float]], growth: float) -> None:
    amounts, years = (list(column) for column in zip(*amounts_and_years, strict=True))
    paid_out = sum(amount * exp(-growth * year) for amount, year in amounts_and_years)

    assert internal_growth(paid_out, amounts, years) == pytest.approx(growth, rel=1e-7, abs=1e-7)
