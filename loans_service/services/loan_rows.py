"""Rows of `loans`: found, locked, shown."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, case, cast, func, select, true
from sqlalchemy import Date as DateType
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.loan import LoanView
from loans_service.models.status import LoanStatus
from loans_service.models.tables import LOANS
from loans_service.models.terms import computable_terms
from loans_service.money.terms import LoanTerms
from loans_service.services.context import RequestContext
from loans_service.services.errors import LoanNotFoundError
from loans_service.services.shown import amount_shown, rate_shown
from service_kit.accounts.caller import Caller
from service_kit.api.etags import StaleEditError, accepts

_ROWS: Final = LOANS.c
_AMOUNTS: Final = ("principal", "opening_fee", "instalment_fee", "instalment", "total_interest", "total_fees")
_RATES: Final = ("annual_rate_percent", "late_annual_rate_percent")
_COSTS: Final = ("effective_annual_rate_percent", "annual_cost_percent")
_TAG_OF_DAYS: Final = 10**8
"""Above the version, which the tag of a loan has in its lower digits."""


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan as it is shown, with the row that it was read from; `is_new` if this request has made it."""

    view: LoanView
    row: Row[Any]
    is_new: bool = False

    @property
    def status(self) -> LoanStatus:
        """Where it stands."""
        return self.view.status

    @property
    def version(self) -> int:
        """Counts its changes."""
        version: int = self.row.version
        return version

    @property
    def tag(self) -> int:
        """For its `ETag`: the version, and the days past due, which change by themselves."""
        moved: int = self.row.days_that_count
        return self.version + _TAG_OF_DAYS * moved

    @property
    def terms(self) -> LoanTerms:
        """For the money engine; from the day on which it was paid out, or is to be."""
        return computable_terms(self.row._asdict(), self.row.disbursed_on or self.row.disburse_on)


def shown(today: date) -> Mapping[str, ColumnElement[Any]]:
    """The fields of a `LoanView` on a day, by name."""
    day = cast(today, DateType)
    computed = {
        **{name: amount_shown(_ROWS[name], _ROWS.currency) for name in _AMOUNTS},
        **{name: rate_shown(_ROWS[name]) for name in (*_RATES, *_COSTS)},
        "principal_outstanding": amount_shown(_ROWS.principal_outstanding - _repaid_by(day), _ROWS.currency),
        "days_past_due": case((_ROWS.next_unpaid_payable_on < day, day - _ROWS.next_unpaid_due_on), else_=0),
        "approvals_missing": case(
            (
                _ROWS.status == LoanStatus.DRAFT,
                func.greatest(_ROWS.approvals_needed - func.jsonb_array_length(_ROWS.approvals), 0),
            ),
            else_=0,
        ),
    }
    return {name: computed[name] if name in computed else _ROWS[name] for name in LoanView.model_fields}


def _repaid_by(day: ColumnElement[date]) -> ColumnElement[Any]:
    """Principal that held money has repaid since the last payment."""
    held = (
        func.unnest(_ROWS.held_due_on, _ROWS.held_principal).table_valued("due_on", "principal").render_derived("held")
    )
    repaid = select(func.coalesce(func.sum(held.c.principal), 0)).where(held.c.due_on <= day).scalar_subquery()
    return case((func.cardinality(_ROWS.held_due_on) == 0, 0), else_=repaid)


def _steps_by(day: ColumnElement[date]) -> ColumnElement[Any]:
    """How many times held money has repaid something since the last payment."""
    held = func.unnest(_ROWS.held_due_on).table_valued("due_on").render_derived("held")
    steps = select(func.count()).select_from(held).where(held.c.due_on <= day).scalar_subquery()
    return case((func.cardinality(_ROWS.held_due_on) == 0, 0), else_=steps)


def visible_loans(caller: Caller) -> ColumnElement[bool]:
    """What a row has to be for the caller to see it."""
    own = caller.only_subject
    return true() if own is None else _ROWS.client_id == own


async def read_loan(session: AsyncSession, context: RequestContext, loan_id: UUID, *, locked: bool = False) -> Loan:
    """Look one loan up, if asked for locked until the transaction ends.

    Raises:
        LoanNotFoundError: The caller sees no loan of this id (404).
    """
    loan = await find_loan(session, context, _ROWS.id == loan_id, visible_loans(context.caller), locked=locked)
    if loan is None:
        raise LoanNotFoundError(loan_id)
    return loan


async def lock_loan(
    session: AsyncSession, context: RequestContext, loan_id: UUID, accepted: Collection[int] | None = None
) -> Loan:
    """Look one loan up to change it: of two at the same moment the second meets what the first has made of it.

    Raises:
        LoanNotFoundError: The caller sees no loan of this id (404).
        StaleEditError: Its tag is not one of `accepted` (412).
    """
    loan = await read_loan(session, context, loan_id, locked=True)
    if not accepts(accepted, loan.tag):
        raise StaleEditError
    return loan


async def find_loan(
    session: AsyncSession, context: RequestContext, *conditions: ColumnElement[bool], locked: bool = False
) -> Loan | None:
    """The only loan that meets the conditions."""
    texts = shown(context.today)
    counted = texts["days_past_due"] + _steps_by(cast(context.today, DateType))
    labelled = [texts[name].label(f"shown_{name}") for name in texts]
    query = select(LOANS, counted.label("days_that_count"), *labelled).where(*conditions)
    row = (await session.execute(query.with_for_update(of=LOANS) if locked else query)).one_or_none()
    if row is None:
        return None
    fields = {name: getattr(row, f"shown_{name}") for name in texts}
    return Loan(LoanView.model_validate(fields), row)
