"""The commands of a loan's life: one transaction each, under the lock of the loan."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.loan import Disbursement
from loans_service.models.status import Command, LoanStatus, leads_to, legal_commands
from loans_service.models.terms import agreed_due_dates, computable_terms
from loans_service.money.standing import NO_BOOKS, Standing, standing
from loans_service.services.context import RequestContext
from loans_service.services.errors import PreconditionRequiredError, SameApproverError, invalid_field
from loans_service.services.figures import figures_of, plan_of
from loans_service.services.loan_rows import Loan, lock_loan
from loans_service.services.loans import Loans
from service_kit.fields.timestamps import spelled

Accepted = list[int] | None

_CLOSING: Final = (Command.REJECT, Command.CANCEL, Command.WRITE_OFF)


class Commands:
    """What can be done to the loans of one transaction, which the caller commits.

    Args:
        session: In the transaction.
        context: Who asks.
    """

    def __init__(self, session: AsyncSession, context: RequestContext) -> None:
        self._session = session
        self._context = context
        self._loans = Loans(session, context)

    async def approve(self, loan_id: UUID, accepted: Accepted) -> Loan:
        """Approve a draft, which the caller has read; a large one needs two administrators.

        Raises:
            PreconditionRequiredError: No `If-Match` says what was read (428).
            LoanNotFoundError: There is no such loan (404).
            StaleEditError: It has changed since it was read (412).
            NotInThisStatusError: It is no draft (409).
            SameApproverError: The caller has approved it before (409).
        """
        loan = await self._legally(loan_id, Command.APPROVE, _required(accepted))
        approvals, caller = list(loan.row.approvals), self._context.caller
        if str(caller.account_id) in (approval["account_id"] for approval in approvals):
            raise SameApproverError
        at = spelled(self._context.now)
        approvals.append({"account_id": str(caller.account_id), "by": caller.email, "at": at})
        needed = self._context.policy.approvals_needed(loan.row.principal, loan.row.currency)
        status = LoanStatus.APPROVED if len(approvals) >= needed else LoanStatus.DRAFT
        return await self._loans.change(
            loan, Command.APPROVE, approvals=approvals, approvals_needed=needed, status=status
        )

    async def close(self, loan_id: UUID, command: Command, reason: str, accepted: Accepted) -> Loan:
        """Reject, cancel or write off.

        Raises:
            LoanNotFoundError: There is no such loan (404).
            StaleEditError: It has changed since it was read (412).
            NotInThisStatusError: Its status does not allow that (409).
        """
        assert command in _CLOSING
        loan = await self._legally(loan_id, command, accepted)
        # The money of a loan that is cancelled has come back; what is written off is owed still.
        books = columns_of(NO_BOOKS) if command is Command.CANCEL else {}
        return await self._loans.change(loan, command, reason=reason, status=leads_to(loan.status, command), **books)

    async def reopen(self, loan_id: UUID, reason: str, accepted: Accepted) -> Loan:
        """Make a draft again of a loan that was never paid out; its approvals are void.

        Raises:
            LoanNotFoundError: There is no such loan (404).
            StaleEditError: It has changed since it was read (412).
            NotInThisStatusError: It is a draft, or was paid out (409).
        """
        loan = await self._legally(loan_id, Command.REOPEN, accepted)
        return await self._loans.change(loan, Command.REOPEN, reason=reason, status=LoanStatus.DRAFT, approvals=[])

    async def disburse(self, loan_id: UUID, told: Disbursement, accepted: Accepted) -> Loan:
        """Pay an approved loan out: its schedule is made again from the real day.

        Raises:
            PreconditionRequiredError: No `If-Match` says what was read (428).
            LoanNotFoundError: There is no such loan (404).
            StaleEditError: It has changed since it was read (412).
            NotInThisStatusError: It is not approved (409).
            InvalidRequestError: It would be paid out tomorrow, or its first row would not be 1 to 92 days later (422).
            UnsoundTermsRefusedError: From that day the rows cannot repay the loan evenly (422).
        """
        loan = await self._legally(loan_id, Command.DISBURSE, _required(accepted))
        day = told.disbursed_on or self._context.today
        if day > self._context.today:
            raise invalid_field("disbursed_on", "A loan is paid out today, or was before")
        columns: dict[str, Any] = {"disbursed_on": day, "first_due_on": _first_due(loan, day, told.first_due_on)}
        terms = computable_terms({**loan.row._asdict(), **columns}, day)
        figures = figures_of(terms, plan_of(terms)).columns()
        status = leads_to(loan.status, Command.DISBURSE)
        books = columns_of(standing(terms, []))
        return await self._loans.change(loan, Command.DISBURSE, status=status, **columns, **figures, **books)

    async def _legally(self, loan_id: UUID, command: Command, accepted: Accepted) -> Loan:
        loan = await lock_loan(self._session, self._context, loan_id, accepted)
        legal = legal_commands(
            loan.status,
            has_payments=command is Command.CANCEL and await self._loans.has_payments(loan_id),
            was_disbursed=loan.view.disbursed_on is not None,
        )
        if command not in legal:
            raise await self._loans.not_in_this_status(loan, f"it takes no {command}")
        return loan


def columns_of(books: Standing) -> dict[str, Any]:
    """What of a loan's books is stored beside its payments, so that lists need no fold."""
    slot = books.next_unpaid
    return {
        "principal_outstanding": books.principal_outstanding,
        "next_unpaid_due_on": slot and slot.due_on,
        "next_unpaid_payable_on": slot and slot.payable_on,
        "held_due_on": [due_on for due_on, _ in books.held_repays],
        "held_principal": [repaid for _, repaid in books.held_repays],
        "paid_on": books.closed_on,
    }


def _required(accepted: Accepted) -> list[int]:
    if accepted is None:
        raise PreconditionRequiredError
    return accepted


def _first_due(loan: Loan, day: date, moved_to: date | None) -> date:
    try:
        return agreed_due_dates(day, moved_to or loan.view.first_due_on, loan.view.due_day)[0]
    except ValueError as error:
        raise invalid_field("first_due_on", str(error)) from None
