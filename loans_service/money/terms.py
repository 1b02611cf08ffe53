"""What is agreed when a loan is made."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from loans_service.money.currencies import minor_unit
from loans_service.money.dates import DayCount

ZERO = Decimal(0)


class Method(StrEnum):
    """How a loan repays."""

    FRENCH = "french"
    """Level instalments."""
    GERMAN = "german"
    """Equal principal."""
    BULLET = "bullet"
    """All principal in the last row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanTerms:
    """The terms of one loan. Whoever makes them has checked that each is within its limits.

    Attributes:
        principal: Lent, in the currency's decimals.
        annual_rate_percent: Nominal rate a year: 24 is 24 %.
        term_months: Rows of the schedule.
        interest_only_months: So many first rows pay interest alone; 0 for a bullet loan.
        disbursed_on: The day from which interest runs.
        first_due_on: The due day of its month, or the last day of a month that is too short.
        due_day: Day of the month on which rows fall due, 1 to 31.
        opening_fee: Withheld from what is paid out.
        instalment_fee: Part of each row.
        late_annual_rate_percent: Simple interest a year on principal that is late.
        late_grace_days: Days after the due date in which nothing is late.
        holidays: Days that are no business days; None if every day is one.
    """

    principal: Decimal
    currency: str
    annual_rate_percent: Decimal
    term_months: int
    method: Method
    day_count: DayCount
    disbursed_on: date
    first_due_on: date
    due_day: int
    interest_only_months: int = 0
    opening_fee: Decimal = ZERO
    instalment_fee: Decimal = ZERO
    late_annual_rate_percent: Decimal = ZERO
    late_grace_days: int = 0
    holidays: Container[date] | None = None

    @property
    def unit(self) -> Decimal:
        """The smallest amount of the currency."""
        return minor_unit(self.currency)
