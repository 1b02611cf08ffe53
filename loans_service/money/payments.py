"""What a caller pays, and what becomes of it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from loans_service.money.parts import NOTHING, Parts
from loans_service.money.terms import ZERO


class Excess(StrEnum):
    """What a payment above what is due does to the coming rows."""

    SHORTEN_TERM = "shorten_term"
    """The same amount a row, fewer rows."""
    LOWER_INSTALMENT = "lower_instalment"
    """The same dates, a lower amount a row."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came on a day.

    Attributes:
        amount: Above 0, in the currency's decimals.
        excess: None where nothing was chosen: what is over is held for the next row.
    """

    amount: Decimal
    paid_on: date
    excess: Excess | None = None


@dataclass(slots=True)
class Booking:
    """Where the money of one payment went.

    Attributes:
        at_once: What it covered on its day.
        later: What it covered while it was held.
        held: What still waits for the next row.
    """

    payment: Payment
    at_once: Parts = NOTHING
    later: Parts = NOTHING
    held: Decimal = ZERO


class PaymentRefusedError(ValueError):
    """This amount cannot be booked on this day; the message says what to do."""


class AmountExceedsPayoffError(PaymentRefusedError):
    """More than closes the loan.

    Attributes:
        payoff: Closes the loan on that day.
        last_instalment: Closes it too, as scheduled; None unless a single row is left.
    """

    def __init__(self, payoff: Decimal, last_instalment: Decimal | None) -> None:
        also = f", or {last_instalment} as its last instalment" if last_instalment is not None else ""
        super().__init__(f"On this day {payoff} closes the loan{also}: pay that, or less.")
        self.payoff = payoff
        self.last_instalment = last_instalment


class ChoosePrepaymentError(PaymentRefusedError):
    """More is left over than the next row takes."""

    def __init__(self, left_over: Decimal, next_total: Decimal) -> None:
        super().__init__(
            f"{left_over} are left over, and the next row takes {next_total}: "
            f"choose excess {Excess.SHORTEN_TERM} or {Excess.LOWER_INSTALMENT}."
        )


class BelowAccruedInterestError(PaymentRefusedError):
    """What is left over does not even pay the interest to the day, so it cannot repay principal."""

    def __init__(self, left_over: Decimal, accrued: Decimal) -> None:
        super().__init__(
            f"{left_over} are left over, not more than the {accrued} of interest to this day: "
            "pay more, or leave excess out to have it held for the next row."
        )
