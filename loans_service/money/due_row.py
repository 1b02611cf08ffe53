"""A row that has fallen due: what of it is unpaid, and the late interest that it bears."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from loans_service.money.interest import interest
from loans_service.money.parts import NOTHING, Parts
from loans_service.money.schedule import Row
from loans_service.money.terms import ZERO, LoanTerms


@dataclass(slots=True)
class DueRow:
    """One row, and what has been paid of it so far.

    Attributes:
        row: As it fell due.
        paid: By part.
        late_interest: What it has borne up to `late_since`.
        late_since: Start of the stretch whose late interest is not counted yet; None is the due date.
    """

    row: Row
    paid: Parts = NOTHING
    late_interest: Decimal = ZERO
    late_since: date | None = None

    def unpaid(self, terms: LoanTerms, day: date) -> Parts:
        """What is owed of it on a day, late interest up to that day included."""
        late = self.late_interest + self._new_late_interest(terms, day)
        return Parts(self.row.fee, late, self.row.interest, self.row.principal).minus(self.paid)

    def pay(self, terms: LoanTerms, day: date, amount: Decimal) -> Parts:
        """Pay as much of it as an amount covers; tells what was paid."""
        paid = self.unpaid(terms, day).covered_by(amount)
        self.paid = self.paid.plus(paid)
        return paid

    def count_late_interest(self, terms: LoanTerms, day: date) -> None:
        """End a stretch of late interest, because a payment changes the unpaid principal."""
        if self._is_late(terms, day):
            self.late_interest += self._new_late_interest(terms, day)
            self.late_since = day

    def _is_late(self, terms: LoanTerms, day: date) -> bool:
        slot = self.row.slot
        return day > slot.payable_on and day > slot.due_on + timedelta(days=terms.late_grace_days)

    def _new_late_interest(self, terms: LoanTerms, day: date) -> Decimal:
        """Of the stretch that has not ended; from the due date, but nothing while the days of grace last."""
        if not self._is_late(terms, day):
            return ZERO
        principal = self.row.principal - self.paid.principal
        days = (day - (self.late_since or self.row.slot.due_on)).days
        return interest(principal, terms.late_annual_rate_percent, days, terms.day_count.base, terms.unit)
