from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans_service.money.currencies import MINOR_UNIT_DIGITS
from loans_service.money.dates import DayCount
from loans_service.money.schedule import Row, UnsoundTermsError, schedule
from loans_service.money.terms import LoanTerms, Method
from tests.loans_service.money.examples import CHILEAN, HALF_YEAR, YEAR
from tests.loans_service.money.strategies import sound_terms


def amounts(row: Row) -> tuple[str, str, str, str]:
    return str(row.interest), str(row.principal), str(row.total), str(row.balance)


def test_repays_a_french_loan_in_level_instalments() -> None:
    rows = schedule(YEAR).rows

    assert amounts(rows[0]) == ("200.00", "745.60", "960.60", "9254.40")
    assert (rows[1].slot.due_on, *amounts(rows[1])[:2]) == (date(2026, 3, 31), "185.09", "760.51")
    assert amounts(rows[11]) == ("18.54", "927.01", "960.55", "0.00")
    assert sum(row.interest for row in rows) == Decimal("1347.15")
    assert sum(row.total for row in rows) == Decimal("11527.15")


def test_counts_the_days_of_an_odd_first_row() -> None:
    plan = schedule(HALF_YEAR)

    assert plan.amount == Decimal("887.66")
    assert amounts(plan.rows[0]) == ("126.71", "760.95", "887.66", "4239.05")
    assert amounts(plan.rows[1])[:2] == ("66.61", "821.05")
    assert amounts(plan.rows[5])[:3] == ("13.73", "873.94", "887.67")


def test_repays_a_german_loan_in_equal_slices() -> None:
    rows = schedule(CHILEAN).rows

    assert [row.principal for row in rows] == [142857] * 6 + [142858]
    assert [row.interest for row in rows] == [10750, 9214, 7679, 6143, 4607, 3071, 1536]
    assert sum(row.interest for row in rows) == 43000


@pytest.mark.parametrize(
    ("principal", "rate", "monthly"), [("100.50", 12, "1.00"), ("101.50", 12, "1.02"), ("121.80", 10, "1.02")]
)
def test_rounds_ties_to_even(principal: str, rate: int, monthly: str) -> None:
    bullet = replace(
        YEAR,
        principal=Decimal(principal),
        annual_rate_percent=Decimal(rate),
        term_months=2,
        method=Method.BULLET,
        instalment_fee=Decimal(0),
    )

    rows = schedule(bullet).rows

    assert [row.interest for row in rows] == [Decimal(monthly)] * 2
    assert [row.principal for row in rows] == [0, Decimal(principal)]


@pytest.mark.parametrize(
    ("day_count", "interest", "instalment", "last"),
    [
        (DayCount.THIRTY_360, ["100.00", "67.00", "33.67"], "3400.22", "3400.23"),
        (DayCount.ACT_365, ["92.05", "68.23", "33.19"], "3397.82", "3397.83"),
    ],
)
def test_agrees_with_apache_fineract(day_count: DayCount, interest: list[str], instalment: str, last: str) -> None:
    """The expectations of Apache Fineract's own tests: 10,000 at 12 %, 31 January 2025, three months to 30 April."""
    loan = replace(
        YEAR,
        annual_rate_percent=Decimal(12),
        term_months=3,
        day_count=day_count,
        disbursed_on=date(2025, 1, 31),
        first_due_on=date(2025, 2, 28),
        instalment_fee=Decimal(0),
    )

    rows = schedule(loan).rows

    assert [str(row.interest) for row in rows] == interest
    assert [str(row.total) for row in rows] == [instalment, instalment, last]


def test_agrees_with_frappe_lending() -> None:
    """Issue 31 of frappe/lending: 100,000 at 9.99 % in 36 months."""
    loan = replace(
        YEAR,
        principal=Decimal("100000.00"),
        annual_rate_percent=Decimal("9.99"),
        term_months=36,
        instalment_fee=Decimal(0),
    )

    assert schedule(loan).amount == Decimal("3226.25")


def test_pays_interest_alone_at_first() -> None:
    rows = schedule(replace(YEAR, interest_only_months=3)).rows

    assert [(row.principal, row.interest) for row in rows[:3]] == [(Decimal(0), Decimal("200.00"))] * 3
    assert rows[3].principal > 0
    assert len(rows) == 12


def test_is_payable_on_the_next_business_day() -> None:
    rows = schedule(replace(YEAR, holidays=frozenset({date(2026, 3, 2)}))).rows

    assert rows[0].slot.due_on == date(2026, 2, 28)  # a Saturday
    assert rows[0].slot.payable_on == date(2026, 3, 3)
    assert amounts(rows[0]) == ("200.00", "745.60", "960.60", "9254.40")


@pytest.mark.parametrize(
    "changes",
    [
        {"principal": Decimal("0.05")},
        {"principal": Decimal("0.05"), "method": Method.GERMAN},
        {"principal": Decimal("500.00"), "term_months": 480},
        {"principal": Decimal("1.00"), "term_months": 480, "annual_rate_percent": Decimal(0)},
    ],
)
def test_refuses_terms_that_cannot_repay_evenly(changes: dict[str, object]) -> None:
    with pytest.raises(UnsoundTermsError, match=r"take fewer months"):
        schedule(replace(YEAR, **changes))  # type: ignore[arg-type]  # the fields of the terms


@given(sound_terms())
def test_repays_the_principal_in_as_many_rows_as_agreed(terms: LoanTerms) -> None:
    rows = schedule(terms).rows

    assert [row.slot.number for row in rows] == list(range(1, terms.term_months + 1))
    assert sum(row.principal for row in rows) == terms.principal
    assert [row.balance for row in rows] == [
        terms.principal - paid for paid in accumulate(row.principal for row in rows)
    ]
    assert rows[-1].balance == 0
    assert all(row.interest >= 0 for row in rows)
    assert all(row.total == row.total.quantize(terms.unit) for row in rows)


@given(sound_terms())
def test_has_equal_instalments_but_the_last(terms: LoanTerms) -> None:
    plan = schedule(terms)
    repaying = plan.rows[terms.interest_only_months :]

    if terms.method is Method.FRENCH:
        assert {row.principal + row.interest for row in repaying[:-1]} <= {plan.amount}
    elif terms.method is Method.GERMAN:
        assert {row.principal for row in repaying[:-1]} <= {plan.amount}
    else:
        assert {row.principal for row in repaying[:-1]} <= {Decimal(0)}


@given(sound_terms(st.just(Method.FRENCH)))
def test_bounds_the_rounding_that_the_last_row_takes(terms: LoanTerms) -> None:
    plan = schedule(terms)
    repaying = plan.rows[terms.interest_only_months :]
    growth, bound = Decimal(1), Decimal(0)
    for row in reversed(repaying):
        bound += growth
        growth *= 1 + terms.annual_rate_percent * row.slot.days / (100 * terms.day_count.base)
    last = repaying[-1].principal + repaying[-1].interest

    assert abs(last - plan.amount) <= terms.unit * bound


def test_knows_the_decimals_of_every_currency() -> None:
    assert set(MINOR_UNIT_DIGITS.values()) == {0, 2}
    assert len(MINOR_UNIT_DIGITS) == 14
