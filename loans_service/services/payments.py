"""Posting, reversing and quoting payments: under the lock of the loan, which all of them change one after the other."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.amounts import amount_text
from loans_service.models.payment import Choices, NewPayment, PaymentQuote, PaymentTerms, PaymentView, PrepaymentView
from loans_service.models.status import DISBURSED, Command, LoanStatus
from loans_service.models.tables import PAYMENTS, REVERSALS
from loans_service.money.balance import balance_on
from loans_service.money.currencies import MINOR_UNIT_DIGITS
from loans_service.money.ledger import Ledger, fold
from loans_service.money.payments import (
    AmountExceedsPayoffError,
    BelowAccruedInterestError,
    ChoosePrepaymentError,
    Excess,
    Payment,
)
from loans_service.money.posting import PrepaymentChoice, post, prepayment_choices
from loans_service.money.standing import Standing, standing, standing_of
from loans_service.services.books import Books, next_number, parts_view, read_books
from loans_service.services.commands import columns_of
from loans_service.services.context import RequestContext
from loans_service.services.errors import (
    AlreadyReversedError,
    AmountExceedsPayoffRefusedError,
    BelowAccruedInterestRefusedError,
    ChoosePrepaymentRefusedError,
    PaymentNotFoundError,
    invalid_field,
)
from loans_service.services.loan_rows import Loan, lock_loan, read_loan
from loans_service.services.loans import Loans
from service_kit.fields.uuid7 import new_uuid7

_TAKES_PAYMENTS: Final = (LoanStatus.ACTIVE, LoanStatus.WRITTEN_OFF)


class Payments:
    """The payments of one transaction, which the caller commits.

    Args:
        session: In the transaction.
        context: Who asks.
    """

    def __init__(self, session: AsyncSession, context: RequestContext) -> None:
        self._session = session
        self._context = context
        self._loans = Loans(session, context)

    async def books(self, loan_id: UUID) -> Books:
        """A loan with its payments.

        Raises:
            LoanNotFoundError: The caller sees no loan of this id (404).
        """
        return await read_books(self._session, await read_loan(self._session, self._context, loan_id))

    async def post(self, loan_id: UUID, new_payment: NewPayment) -> PaymentView:
        """Book money that came.

        Raises:
            LoanNotFoundError: There is no such loan (404).
            NotInThisStatusError: The loan takes no payments (409).
            InvalidRequestError: The day or the decimals are none of this loan's (422).
            AmountExceedsPayoffRefusedError: It is more than closes the loan (422).
            ChoosePrepaymentRefusedError: More is left over than can be held (422).
            BelowAccruedInterestRefusedError: It does not pay the interest to the day (422).
        """
        loan = await lock_loan(self._session, self._context, loan_id)
        if loan.status not in _TAKES_PAYMENTS:
            raise await self._loans.not_in_this_status(loan, "it takes no payments")
        payment = self._checked(loan, new_payment, new_payment.excess, latest=self._context.today)
        books = await read_books(self._session, loan)
        posted = _posted(books, payment)
        row = await self._insert(loan, new_payment, payment)
        after = await self._settle(loan, "payment", standing_of(posted), {"payment": [None, _told(row)]})
        return await self._view(after, row["id"])

    async def reverse(self, loan_id: UUID, payment_id: UUID, reason: str) -> PaymentView:
        """Take a payment out of the books: later ones are allocated anew, and a paid loan is active again.

        Raises:
            LoanNotFoundError: There is no such loan (404).
            PaymentNotFoundError: It has no such payment (404).
            AlreadyReversedError: The payment was reversed before (409).
            NotInThisStatusError: The loan's books are closed (409).
        """
        loan = await lock_loan(self._session, self._context, loan_id)
        books = await read_books(self._session, loan)
        row = next((row for row in books.rows if row.id == payment_id), None)
        if row is None:
            raise PaymentNotFoundError(payment_id)
        if row.reversed_at is not None:
            raise AlreadyReversedError
        if loan.status not in DISBURSED:
            raise await self._loans.not_in_this_status(loan, "its payments stay")
        now, author = self._context.now, self._context.caller.email
        reversal = {"payment_id": payment_id, "reason": reason, "reversed_by": author, "reversed_at": now}
        await self._session.execute(insert(REVERSALS).values(reversal))
        left = (await read_books(self._session, loan)).payments
        told = {"payment": [_told(row._asdict()), None]}
        after = await self._settle(loan, Command.REVERSE, standing(loan.terms, left), told, reason=reason)
        return await self._view(after, payment_id)

    async def quote(self, loan_id: UUID, asked: PaymentTerms) -> PaymentQuote:
        """Tell what a payment would do.

        Raises:
            LoanNotFoundError: The caller sees no loan of this id (404).
            NotInThisStatusError: The loan takes no payments (409).
            InvalidRequestError: The day or the decimals are none of this loan's (422).
            AmountExceedsPayoffRefusedError: It is more than closes the loan (422).
        """
        books = await self.books(loan_id)
        loan = books.loan
        if loan.status not in _TAKES_PAYMENTS:
            raise await self._loans.not_in_this_status(loan, "it takes no payments")
        payment = self._checked(loan, asked, None)
        currency = loan.view.currency
        try:
            posted, needs_choice = _posted(books, payment), False
        except ChoosePrepaymentRefusedError:
            posted, needs_choice = fold(loan.terms, [*books.payments, payment]), True
        booking = next(one for one in posted.bookings if one.payment is payment)
        return PaymentQuote(
            paid_on=payment.paid_on,
            allocation=parts_view(booking.at_once, currency),
            held=amount_text(booking.held, currency),
            needs_choice=needs_choice,
            payoff=amount_text(balance_on(loan.terms, books.payments, payment.paid_on).payoff, currency),
            choices=choices_view(prepayment_choices(loan.terms, books.payments, payment), currency),
        )

    def _checked(
        self, loan: Loan, asked: PaymentTerms, excess: Excess | None, *, latest: date | None = None
    ) -> Payment:
        view, paid_on = loan.view, asked.paid_on or self._context.today
        digits, exponent = MINOR_UNIT_DIGITS[view.currency], asked.amount.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > digits:
            raise invalid_field("amount", f"{view.currency} has at most {digits} decimals")
        if view.disbursed_on and paid_on < view.disbursed_on:
            raise invalid_field("paid_on", f"The loan was paid out on {view.disbursed_on}: nothing came before")
        if latest and paid_on > latest:
            raise invalid_field("paid_on", f"Money that came has come by today, {latest}")
        return Payment(asked.amount, paid_on, excess)

    async def _insert(self, loan: Loan, new_payment: NewPayment, payment: Payment) -> dict[str, Any]:
        now = self._context.now
        row = {
            "id": new_uuid7(now),
            "loan_id": loan.view.id,
            "number": await next_number(self._session, loan.view.id),
            "amount": payment.amount,
            "paid_on": payment.paid_on,
            "excess": payment.excess,
            "reference": new_payment.reference,
            "note": new_payment.note,
            "created_by": self._context.caller.email,
            "created_at": now,
        }
        await self._session.execute(insert(PAYMENTS).values(row))
        return row

    async def _settle(
        self,
        loan: Loan,
        command: str,
        books: Standing,
        told: Mapping[str, list[Any]],
        *,
        reason: str | None = None,
    ) -> Loan:
        """Keep beside the loan what its payments say now."""
        status = LoanStatus.PAID if books.closed_on else LoanStatus.ACTIVE
        if loan.status is LoanStatus.WRITTEN_OFF:
            status = LoanStatus.WRITTEN_OFF
        return await self._loans.change(loan, command, reason=reason, also=told, status=status, **columns_of(books))

    async def _view(self, loan: Loan, payment_id: UUID) -> PaymentView:
        views = (await read_books(self._session, loan)).views(self._context.today)
        return next(view for view in views if view.id == payment_id)


def _posted(books: Books, payment: Payment) -> Ledger:
    terms, payments, currency = books.loan.terms, books.payments, books.loan.view.currency
    try:
        return post(terms, payments, payment).ledger
    except AmountExceedsPayoffError as error:
        last = error.last_instalment
        raise AmountExceedsPayoffRefusedError(
            str(error),
            payoff=amount_text(error.payoff, currency),
            last_instalment=None if last is None else amount_text(last, currency),
        ) from None
    except ChoosePrepaymentError as error:
        choices = choices_view(prepayment_choices(terms, payments, payment), currency)
        raise ChoosePrepaymentRefusedError(str(error), choices=choices.model_dump(mode="json")) from None
    except BelowAccruedInterestError as error:
        raise BelowAccruedInterestRefusedError(str(error)) from None


def choices_view(choices: Mapping[Excess, PrepaymentChoice], currency: str) -> Choices:
    """Choices as they are answered."""
    return Choices(**{excess.value: _choice_view(choice, currency) for excess, choice in choices.items()})


def _choice_view(choice: PrepaymentChoice, currency: str) -> PrepaymentView:
    return PrepaymentView(
        instalment=amount_text(choice.instalment, currency),
        last_due_on=choice.last_due_on,
        rows=choice.rows,
        interest_saved=amount_text(choice.interest_saved, currency),
    )


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the history tells of a payment."""
    told = {name: row[name] for name in ("id", "number", "amount", "paid_on", "excess", "reference")}
    return {name: value if value is None or isinstance(value, int) else str(value) for name, value in told.items()}
