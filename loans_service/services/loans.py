"""Drafting, editing and deleting loans; each change and its entry of the history are one transaction."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.loan import NOT_TERMS, LoanEdit, NewLoan
from loans_service.models.status import LoanStatus, NotInThisStatusError, legal_commands
from loans_service.models.tables import CLIENT_OF_LOAN, EXTERNAL_ID_OF_LOAN, LOAN_HISTORY, LOANS, PAYMENTS, REVERSALS
from loans_service.services import history
from loans_service.services.context import RequestContext
from loans_service.services.errors import ExternalIdTakenError, IdTakenError, UnknownClientError
from loans_service.services.figures import figures_of, plan_of
from loans_service.services.loan_rows import Loan, find_loan, lock_loan
from service_kit.fields.uuid7 import new_uuid7
from service_kit.postgres.engine import violated_constraint
from service_kit.problems import ServiceError

_ROWS: Final = LOANS.c
_REFUSALS: Final[Mapping[str, type[ServiceError]]] = {
    CLIENT_OF_LOAN: UnknownClientError,
    EXTERNAL_ID_OF_LOAN: ExternalIdTakenError,
}


class Loans:
    """The loans of one transaction, which the caller commits.

    Args:
        session: In the transaction.
        context: Who asks.
    """

    def __init__(self, session: AsyncSession, context: RequestContext) -> None:
        self._session = session
        self._context = context

    async def draft(self, new_loan: NewLoan) -> Loan:
        """Store a new loan, of which nothing is paid out yet.

        Raises:
            UnsoundTermsRefusedError: With these terms the rows cannot repay the loan evenly (422).
            UnknownClientError: There is no such client (422).
            ExternalIdTakenError: The external id belongs to another loan (409).
            IdTakenError: The id belongs to a loan that differs, or was deleted (409).
        """
        now, author = self._context.now, self._context.caller.email
        loan_id = new_loan.id or new_uuid7(now)
        row = {
            **self._columns(new_loan),
            "id": loan_id,
            "status": LoanStatus.DRAFT,
            "principal_outstanding": 0,
            "version": 1,
            "created_by": author,
            "updated_by": author,
            "created_at": now,
            "updated_at": now,
            "fingerprint": new_loan.fingerprint,
        }
        if new_loan.id and await history.exists_for(self._session, LOAN_HISTORY, loan_id):
            return await self._drafted_before(row)
        inserted = insert(LOANS).values(row).on_conflict_do_nothing().returning(_ROWS.id)
        if (await self._refusing(inserted)).one_or_none() is None:
            return await self._drafted_before(row)
        loan = await self._read_again(loan_id)
        await self.note(loan, "create", history.changes_between(None, loan.view))
        return Loan(loan.view, loan.row, is_new=True)

    async def editable(self, loan_id: UUID, accepted: Collection[int] | None) -> Loan:
        """Look one loan up to change it, and lock it until the transaction ends.

        Raises:
            LoanNotFoundError: The caller sees no loan of this id (404).
            StaleEditError: Its tag is not one of `accepted` (412).
        """
        return await lock_loan(self._session, self._context, loan_id, accepted)

    async def replace(self, loan: Loan, edit: LoanEdit) -> Loan:
        """Make a loan what the edit says: a draft all of it, another one what are no terms.

        Args:
            loan: Locked.
            edit: As it is to be; one that says nothing new changes nothing.

        Raises:
            NotInThisStatusError: It is no draft, and a term would change (409).
            UnsoundTermsRefusedError: With these terms the rows cannot repay the loan evenly (422).
            UnknownClientError: There is no such client (422).
            ExternalIdTakenError: The external id belongs to another loan (409).
        """
        changed = _changed_names(loan, edit)
        if not changed:
            return loan
        if loan.status is LoanStatus.DRAFT:
            return await self.change(loan, "edit", **self._columns(edit), approvals=[])
        if terms := changed - set(NOT_TERMS):
            told = f"of it only {' and '.join(NOT_TERMS)} can be edited, not {', '.join(sorted(terms))}"
            raise await self.not_in_this_status(loan, told)
        return await self.change(loan, "edit", **{name: getattr(edit, name) for name in NOT_TERMS})

    async def delete(self, loan: Loan) -> None:
        """Delete a draft; its history stays.

        Raises:
            NotInThisStatusError: It is more than a draft, or was (409).
        """
        if loan.status is not LoanStatus.DRAFT:
            raise await self.not_in_this_status(loan, "only a draft can be deleted")
        await self._session.execute(delete(LOANS).where(_ROWS.id == loan.view.id))
        await self.note(loan, "delete", history.changes_between(loan.view, None), number=loan.version + 1)

    async def change(
        self,
        loan: Loan,
        command: str,
        *,
        reason: str | None = None,
        also: history.Changes | None = None,
        **columns: Any,  # noqa: ANN401 - of `loans`
    ) -> Loan:
        """Change a locked loan, and write it into its history.

        Args:
            loan: Locked.
            command: What is done.
            reason: Why.
            also: What the history tells besides the fields that differ.
            columns: Their new values.

        Raises:
            UnknownClientError: There is no such client (422).
            ExternalIdTakenError: The external id belongs to another loan (409).
        """
        own = {"version": loan.version + 1, "updated_at": self._context.now, "updated_by": self._context.caller.email}
        await self._refusing(update(LOANS).where(_ROWS.id == loan.view.id).values({**columns, **own}))
        after = await self._read_again(loan.view.id)
        changes = {**history.changes_between(loan.view, after.view), **(also or {})}
        await self.note(after, command, changes, reason=reason)
        return after

    async def note(
        self,
        loan: Loan,
        command: str,
        changes: history.Changes,
        *,
        reason: str | None = None,
        number: int | None = None,
    ) -> None:
        """Write a change into the history."""
        await history.append(
            self._session,
            LOAN_HISTORY,
            self._context,
            subject_id=loan.view.id,
            number=number or loan.version,
            command=command,
            changes=changes,
            reason=reason,
        )

    async def not_in_this_status(self, loan: Loan, detail: str | None = None) -> NotInThisStatusError:
        """The refusal that names what is legal now."""
        legal = legal_commands(
            loan.status,
            has_payments=await self.has_payments(loan.view.id),
            was_disbursed=loan.view.disbursed_on is not None,
        )
        return NotInThisStatusError(loan.status, legal, detail)

    async def has_payments(self, loan_id: UUID) -> bool:
        """Whether a payment stands."""
        reversed_ids = select(REVERSALS.c.payment_id)
        standing = select(PAYMENTS.c.id).where(PAYMENTS.c.loan_id == loan_id, PAYMENTS.c.id.not_in(reversed_ids))
        return bool(await self._session.scalar(select(standing.exists())))

    def _columns(self, edit: LoanEdit) -> dict[str, Any]:
        """What is stored of an edit, with what follows from its terms."""
        terms = edit.computable()
        return {
            **{name: getattr(edit, name) for name in LoanEdit.model_fields},
            **figures_of(terms, plan_of(terms)).columns(),
            "approvals_needed": self._context.policy.approvals_needed(edit.principal, edit.currency),
        }

    async def _refusing(self, statement: Any) -> Any:  # noqa: ANN401 - an insert or an update, and its result
        try:
            return await self._session.execute(statement)
        except IntegrityError as error:
            if refusal := _REFUSALS.get(violated_constraint(error)):
                raise refusal from None
            raise

    async def _read_again(self, loan_id: UUID) -> Loan:
        loan = await find_loan(self._session, self._context, _ROWS.id == loan_id)
        assert loan is not None  # this transaction has just written it
        return loan

    async def _drafted_before(self, row: Mapping[str, Any]) -> Loan:
        first = await find_loan(self._session, self._context, _ROWS.id == row["id"])
        if first is not None:
            if first.row.fingerprint != row["fingerprint"]:
                raise IdTakenError
            return first
        taken = await history.exists_for(self._session, LOAN_HISTORY, row["id"])
        raise IdTakenError if taken else ExternalIdTakenError


def _changed_names(loan: Loan, edit: LoanEdit) -> set[str]:
    new = edit.model_dump(mode="json", include=set(LoanEdit.model_fields))
    old = loan.view.model_dump(mode="json", include=set(LoanEdit.model_fields))
    return {name for name in new if new[name] != old[name]}
