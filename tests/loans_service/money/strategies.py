"""Loans and payments by chance."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from loans_service.money.currencies import MINOR_UNIT_DIGITS
from loans_service.money.dates import DayCount, day_in_month, month_index
from loans_service.money.payments import Excess, Payment
from loans_service.money.schedule import UnsoundTermsError, schedule
from loans_service.money.terms import LoanTerms, Method

METHODS = st.sampled_from(Method)


def rates(highest: int) -> SearchStrategy[Decimal]:
    return st.decimals(0, highest, places=6) | st.integers(0, highest).map(Decimal)


@st.composite
def sound_terms(draw: DrawFn, methods: SearchStrategy[Method] = METHODS, *, most_months: int = 480) -> LoanTerms:
    """Terms of every kind that repay evenly."""
    currency = draw(st.sampled_from(sorted(MINOR_UNIT_DIGITS)))
    months, method = draw(st.integers(1, most_months)), draw(methods)
    first_due_on, due_day = draw(_first_due_dates())
    terms = LoanTerms(
        principal=draw(st.decimals(100, 9_999_999, places=MINOR_UNIT_DIGITS[currency])),
        currency=currency,
        annual_rate_percent=draw(rates(100)),
        term_months=months,
        method=method,
        day_count=draw(st.sampled_from(DayCount)),
        disbursed_on=first_due_on - timedelta(days=draw(st.integers(1, 92))),
        first_due_on=first_due_on,
        due_day=due_day,
        interest_only_months=0 if method is Method.BULLET else draw(st.integers(0, months - 1)),
        instalment_fee=draw(st.sampled_from([Decimal(0), Decimal(15)])),
        late_annual_rate_percent=draw(rates(60)),
        late_grace_days=draw(st.integers(0, 20)),
    )
    try:
        schedule(terms)
    except UnsoundTermsError:
        assume(False)  # noqa: FBT003 - Hypothesis's signature
    return terms


@st.composite
def _first_due_dates(draw: DrawFn) -> tuple[date, int]:
    due_day = draw(st.integers(1, 31))
    return day_in_month(month_index(draw(st.dates(date(2020, 1, 1), date(2030, 12, 31)))), due_day), due_day


@st.composite
def payments_on(draw: DrawFn, terms: LoanTerms, *, most: int = 8) -> list[Payment]:
    """Payments of every kind: early, late, small, large, with and without a choice of what to do with the excess."""
    last_day = (schedule(terms).rows[-1].slot.due_on - terms.disbursed_on).days + 120
    amounts = st.decimals(terms.unit, terms.principal / 2 + 1, places=MINOR_UNIT_DIGITS[terms.currency])
    days = st.integers(0, last_day).map(lambda days: terms.disbursed_on + timedelta(days=days))
    one = st.builds(Payment, amounts, days, st.none() | st.sampled_from(Excess))
    return draw(st.lists(one, max_size=most))
