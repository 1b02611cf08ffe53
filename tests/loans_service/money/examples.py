"""Terms that several tests start from."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from loans_service.money.dates import DayCount
from loans_service.money.payments import Payment
from loans_service.money.terms import LoanTerms, Method

YEAR: Final = LoanTerms(
    principal=Decimal("10000.00"),
    currency="MXN",
    annual_rate_percent=Decimal(24),
    term_months=12,
    method=Method.FRENCH,
    day_count=DayCount.THIRTY_360,
    disbursed_on=date(2026, 1, 31),
    first_due_on=date(2026, 2, 28),
    due_day=31,
    instalment_fee=Decimal("15.00"),
)
"""Twelve rows of 960.60, the last one 960.55."""

YEAR_WITH_OPENING_FEE: Final = replace(YEAR, opening_fee=Decimal("300.00"))

LATE: Final = replace(YEAR, late_annual_rate_percent=Decimal(36))

HALF_YEAR: Final = LoanTerms(
    principal=Decimal("5000.00"),
    currency="USD",
    annual_rate_percent=Decimal("18.5"),
    term_months=6,
    method=Method.FRENCH,
    day_count=DayCount.ACT_365,
    disbursed_on=date(2026, 1, 10),
    first_due_on=date(2026, 3, 1),
    due_day=1,
)
"""Its first row has 50 days."""

CHILEAN: Final = LoanTerms(
    principal=Decimal(1_000_000),
    currency="CLP",
    annual_rate_percent=Decimal("12.9"),
    term_months=7,
    method=Method.GERMAN,
    day_count=DayCount.THIRTY_360,
    disbursed_on=date(2026, 1, 31),
    first_due_on=date(2026, 2, 28),
    due_day=31,
)

INSTALMENT: Final = Decimal("960.60")
"""Of `YEAR`."""

THREE_ON_TIME: Final = [Payment(INSTALMENT, day) for day in (date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30))]
"""Payments on `YEAR`."""
