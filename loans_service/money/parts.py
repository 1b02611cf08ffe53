"""The parts of what is owed or paid, in the order in which a payment covers them."""

from decimal import Decimal
from typing import Final, NamedTuple

from loans_service.money.terms import ZERO


class Parts(NamedTuple):
    """Amounts by part."""

    fee: Decimal = ZERO
    late_interest: Decimal = ZERO
    interest: Decimal = ZERO
    principal: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """All of them."""
        return self.fee + self.late_interest + self.interest + self.principal

    def plus(self, other: "Parts") -> "Parts":
        """Each part of both together."""
        return Parts(*(ours + theirs for ours, theirs in zip(self, other, strict=True)))

    def minus(self, other: "Parts") -> "Parts":
        """Each part less the other's."""
        return Parts(*(ours - theirs for ours, theirs in zip(self, other, strict=True)))

    def covered_by(self, amount: Decimal) -> "Parts":
        """What an amount pays of them, the first part first."""
        covered = []
        for part in self:
            paid = min(part, amount)
            amount -= paid
            covered.append(paid)
        return Parts(*covered)


NOTHING: Final = Parts()
