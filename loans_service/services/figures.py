"""What the terms of a loan say before anybody pays: totals and rates."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from loans_service.money.rates import annual_cost_percent, effective_annual_rate_percent
from loans_service.money.schedule import Plan, UnsoundTermsError, schedule
from loans_service.money.terms import ZERO, LoanTerms
from loans_service.services.errors import UnsoundTermsRefusedError


@dataclass(frozen=True, slots=True)
class Figures:
    """Totals and rates of a schedule; the columns of a loan have the same names."""

    instalment: Decimal
    last_due_on: date
    total_interest: Decimal
    total_fees: Decimal
    effective_annual_rate_percent: Decimal
    annual_cost_percent: Decimal | None

    def columns(self) -> dict[str, Any]:
        """As the table has them."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def plan_of(terms: LoanTerms) -> Plan:
    """The schedule as agreed.

    Raises:
        UnsoundTermsRefusedError: With these terms the rows cannot repay the loan evenly (422).
    """
    try:
        return schedule(terms)
    except UnsoundTermsError as error:
        raise UnsoundTermsRefusedError(str(error)) from None


def figures_of(terms: LoanTerms, plan: Plan) -> Figures:
    """What the schedule of these terms adds up to."""
    rows = plan.rows
    return Figures(
        instalment=next(row.total for row in rows if row.principal),
        last_due_on=rows[-1].slot.due_on,
        total_interest=sum((row.interest for row in rows), ZERO),
        total_fees=sum((row.fee for row in rows), terms.opening_fee),
        effective_annual_rate_percent=effective_annual_rate_percent(terms.annual_rate_percent),
        annual_cost_percent=annual_cost_percent(terms, rows),
    )
