"""The payments of a loan, and what they say of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.amounts import amount_text
from loans_service.models.payment import BalanceView, NextRow, PartsView, PaymentView
from loans_service.models.status import DISBURSED
from loans_service.models.tables import PAYMENTS, REVERSALS
from loans_service.money.balance import Balance, balance_on
from loans_service.money.ledger import fold
from loans_service.money.parts import NOTHING, Parts
from loans_service.money.payments import Booking, Excess, Payment
from loans_service.money.terms import ZERO
from loans_service.services.loan_rows import Loan

_STORED: Final = (
    *("id", "loan_id", "number", "paid_on", "excess", "reference", "note", "created_by", "created_at"),
    *("reversed_at", "reversed_by"),
)
_NOTHING_OWED: Final = Balance(NOTHING, ZERO, ZERO, ZERO, ZERO, 0, None)


@dataclass(frozen=True, slots=True)
class Books:
    """A loan with all of its payments.

    Attributes:
        loan: As it was read.
        rows: Its payments in the order in which they arrived, reversed ones too.
    """

    loan: Loan
    rows: Sequence[Row[Any]]

    @property
    def is_open(self) -> bool:
        """Whether there is anything to fold: the loan is paid out, and its money has not come back."""
        return self.loan.status in DISBURSED

    @property
    def standing_rows(self) -> list[Row[Any]]:
        """Payments that are not reversed."""
        return [row for row in self.rows if row.reversed_at is None]

    @property
    def payments(self) -> list[Payment]:
        """The same for the money engine."""
        return [payment_of(row) for row in self.standing_rows]

    def balance(self, day: date) -> Balance:
        """What is owed on a day; nothing before the loan is paid out."""
        disbursed_on = self.loan.view.disbursed_on
        if not self.is_open or disbursed_on is None or day < disbursed_on:
            return _NOTHING_OWED
        return balance_on(self.loan.terms, self.payments, day)

    def views(self, today: date) -> list[PaymentView]:
        """The payments as they are answered, each with where its money is today."""
        bookings: dict[int, Booking] = {}
        if self.is_open:
            ledger = fold(self.loan.terms, self.payments, until=today)
            folded = sorted(self.standing_rows, key=attrgetter("paid_on"))
            # Days of the lender: another zone's settings may once have taken one for today that is tomorrow's here.
            bookings = {row.number: booking for row, booking in zip(folded, ledger.bookings, strict=False)}
        currency = self.loan.view.currency
        return [payment_view(row, bookings.get(row.number), currency) for row in self.rows]


async def read_books(session: AsyncSession, loan: Loan) -> Books:
    """Read all payments of a loan."""
    joined = PAYMENTS.outerjoin(REVERSALS, REVERSALS.c.payment_id == PAYMENTS.c.id)
    reversal = (REVERSALS.c.reversed_at, REVERSALS.c.reversed_by, REVERSALS.c.reason)
    query = select(PAYMENTS, *reversal).select_from(joined).where(PAYMENTS.c.loan_id == loan.view.id)
    return Books(loan, (await session.execute(query.order_by(PAYMENTS.c.number))).all())


async def next_number(session: AsyncSession, loan_id: UUID) -> int:
    """Of a payment that arrives now, under the lock of its loan."""
    last = await session.scalar(select(func.max(PAYMENTS.c.number)).where(PAYMENTS.c.loan_id == loan_id))
    return (last or 0) + 1


def payment_of(row: Any) -> Payment:  # noqa: ANN401 - a row of `payments`
    """For the money engine."""
    return Payment(row.amount, row.paid_on, Excess(row.excess) if row.excess else None)


def payment_view(row: Row[Any], booking: Booking | None, currency: str) -> PaymentView:
    """A payment as it is answered; one that is reversed covers nothing."""
    at_once, later, held = (booking.at_once, booking.later, booking.held) if booking else (NOTHING, NOTHING, ZERO)
    return PaymentView.model_validate(
        {
            **{name: getattr(row, name) for name in _STORED},
            **parts_view(at_once, currency).model_dump(),
            "amount": amount_text(row.amount, currency),
            "held": amount_text(held, currency),
            "applied_later": parts_view(later, currency),
            "reverse_reason": row.reason,
        }
    )


def parts_view(parts: Parts, currency: str) -> PartsView:
    """Parts as they are answered."""
    return PartsView(**{name: amount_text(part, currency) for name, part in parts._asdict().items()})


def balance_view(balance: Balance, currency: str, as_of: date) -> BalanceView:
    """A balance as it is answered."""

    def text(amount: Decimal) -> str:
        return amount_text(amount, currency)

    row = balance.next_row
    slot = row.slot if row else None
    return BalanceView(
        currency=currency,
        as_of=as_of,
        due=parts_view(balance.due, currency),
        due_total=text(balance.due.total),
        accrued_interest=text(balance.accrued_interest),
        principal_outstanding=text(balance.principal_outstanding),
        held=text(balance.held),
        payoff=text(balance.payoff),
        days_past_due=balance.days_past_due,
        bucket=balance.bucket,
        next_instalment=NextRow(
            number=slot.number, due_on=slot.due_on, payable_on=slot.payable_on, total=text(row.total)
        )
        if row and slot
        else None,
    )
