"""The terms of a loan as a caller sends them, with the rules that hold between them."""

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Literal, Self

import holidays
from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator
from pydantic.config import JsonDict

from loans_service.models.amounts import Amount, CurrencyCode, Principal, Rate, amount_text, rate_text
from loans_service.models.days import Day
from loans_service.money.dates import DayCount, day_in_month, month_index
from loans_service.money.terms import ZERO, LoanTerms, Method

MOST_FIRST_DAYS: Final = 92

COUNTRIES_WITH_HOLIDAYS: Final = tuple(
    sorted(code for code in holidays.list_supported_countries(include_aliases=False) if len(code) == 2)  # noqa: PLR2004 - letters of ISO 3166-1
)

TERMS_EXAMPLE: Final[JsonDict] = {
    "currency": "MXN",
    "principal": "10000.00",
    "annual_rate_percent": "24",
    "term_months": 12,
    "method": "french",
    "day_count": "30/360",
    "disburse_on": "2026-01-31",
    "first_due_on": "2026-02-28",
    "due_day": 31,
    "opening_fee": "300.00",
    "instalment_fee": "15.00",
    "late_annual_rate_percent": "36",
}

_Whole = Field(strict=True)


class Terms(BaseModel):
    """What a lender and a client agree on.

    Taxes on interest are no part of it.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [TERMS_EXAMPLE]})

    currency: CurrencyCode
    principal: Principal
    annual_rate_percent: Annotated[Rate, Field(description="Nominal: 24 is 24 % a year.")]
    term_months: Annotated[int, _Whole, Field(ge=1, le=480, description="Monthly rows.")]
    method: Annotated[
        Method, Field(description="`french`: level rows; `german`: equal principal; `bullet`: principal at the end.")
    ]
    day_count: DayCount
    interest_only_months: Annotated[
        int, _Whole, Field(ge=0, le=479, description="First rows that pay interest alone.")
    ] = 0
    disburse_on: Annotated[Day, Field(description="When the money is to be paid out; interest runs from there.")]
    first_due_on: Annotated[
        Day | None,
        Field(description="1 to 92 days later, on `due_day`; by default in the next month.", validate_default=False),
    ] = None
    due_day: Annotated[
        Annotated[int, _Whole, Field(ge=1, le=31)] | None,
        Field(description="Day of the month; a shorter month's last day. By default the day of `first_due_on`."),
    ] = None
    opening_fee: Annotated[Amount, Field(description="Withheld from what is paid out.")] = ZERO
    instalment_fee: Annotated[Amount, Field(description="Part of each row.")] = ZERO
    late_annual_rate_percent: Annotated[Rate, Field(description="Simple, on principal that is late.")] = ZERO
    late_grace_days: Annotated[int, _Whole, Field(ge=0, le=60, description="Days in which nothing is late.")] = 0
    business_days: Annotated[
        Literal[COUNTRIES_WITH_HOLIDAYS] | None,  # type: ignore[valid-type]  # pydantic takes a tuple that is computed
        Field(description="A country, whose next business day is the last one to pay a row; absent: any day."),
    ] = None

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.interest_only_months and self.method is Method.BULLET:
            raise ValueError("A bullet loan pays interest alone anyway: leave interest_only_months out")
        if self.interest_only_months >= self.term_months:
            raise ValueError("interest_only_months leaves no row to repay: make it less than term_months")
        if self.opening_fee >= self.principal:
            raise ValueError("The opening_fee has to be less than the principal")
        self.first_due_on, self.due_day = agreed_due_dates(self.disburse_on, self.first_due_on, self.due_day)
        return self

    @field_serializer("principal", "opening_fee", "instalment_fee", when_used="json")
    def _amount_as_answered(self, amount: Decimal) -> str:
        return amount_text(amount, self.currency)

    @field_serializer("annual_rate_percent", "late_annual_rate_percent", when_used="json")
    def _rate_as_answered(self, rate: Decimal) -> str:
        return rate_text(rate)

    def computable(self) -> LoanTerms:
        """The same for the money engine."""
        return computable_terms(dict(self), self.disburse_on)


def agreed_due_dates(start: date, first_due_on: date | None, due_day: int | None) -> tuple[date, int]:
    """Complete what is left out.

    Raises:
        ValueError: They do not fit together.
    """
    first = first_due_on or day_in_month(month_index(start) + 1, due_day or start.day)
    day = due_day or first.day
    if not timedelta(0) < first - start <= timedelta(days=MOST_FIRST_DAYS):
        raise ValueError(f"first_due_on has to be 1 to {MOST_FIRST_DAYS} days after the money is paid out")
    if first.day != min(day, monthrange(first.year, first.month)[1]):
        raise ValueError("first_due_on has to be on due_day, or on the last day of a month that is too short for it")
    return first, day


@cache
def holidays_of(country: str) -> holidays.HolidayBase:
    """The holidays of a country; each year's are computed when a day of it is first asked for."""
    return holidays.country_holidays(country)


def computable_terms(fields: dict[str, Any], start: date) -> LoanTerms:
    """Terms for the money engine.

    Args:
        fields: Of `Terms`, or the columns of a loan.
        start: The day from which interest runs.
    """
    country = fields["business_days"]
    names = LoanTerms.__dataclass_fields__.keys() - {"disbursed_on", "holidays", "method", "day_count"}
    return LoanTerms(
        **{name: fields[name] for name in names},
        method=Method(fields["method"]),
        day_count=DayCount(fields["day_count"]),
        disbursed_on=start,
        holidays=holidays_of(country) if country else None,
    )
