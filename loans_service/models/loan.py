"""A loan: as a caller sends it, and as the API answers it."""

from datetime import date
from hashlib import blake2b
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from loans_service.models.amounts import AmountText, RateText
from loans_service.models.days import Day
from loans_service.models.status import LoanStatus
from loans_service.models.terms import TERMS_EXAMPLE, Terms
from loans_service.models.texts import ExternalId, Notes, Reason
from loans_service.money.dates import DayCount
from loans_service.money.terms import Method
from service_kit.fields.timestamps import ResponseTimestamp
from service_kit.fields.uuid7 import ClientId, KnownId

_HASH_BYTES: Final = 16
_CLIENT: Final[JsonDict] = {"client_id": "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"}
_ID: Final = "019a9f3f-1d40-7b2c-9d3e-4f5a6b7c8d9e"

NOT_TERMS: Final = ("external_id", "notes")
"""What of a loan can be edited at any time."""


class LoanEdit(Terms):
    """All that can be edited of a loan, as a caller sends it to replace what was there."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{**_CLIENT, **TERMS_EXAMPLE}]})

    client_id: Annotated[KnownId, Field(description="A client of `/clients`.")]
    external_id: ExternalId | None = None
    notes: Notes | None = None


class NewLoan(LoanEdit):
    """A loan, as a caller sends it to draft one."""

    id: Annotated[
        ClientId | None,
        Field(description="A UUID of version 7 that you have made: then sending the same again is harmless."),
    ] = None

    @property
    def fingerprint(self) -> bytes:
        """By which a repeat is told from another loan with the same id."""
        return blake2b(self.model_dump_json(exclude_defaults=True).encode(), digest_size=_HASH_BYTES).digest()


class Given(BaseModel):
    """What goes with a command that needs a reason."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "The client asked for it."}]})

    reason: Reason


class Disbursement(BaseModel):
    """What may be told when a loan is paid out."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"disbursed_on": "2026-01-31", "first_due_on": "2026-02-28"}]}
    )

    disbursed_on: Annotated[
        Day | None, Field(description="By default today; an earlier day for a loan that is taken over.")
    ] = None
    first_due_on: Annotated[Day | None, Field(description="Moves the first row; by default it stays.")] = None


class Approval(BaseModel):
    """Who has approved a draft."""

    account_id: UUID
    by: str
    at: ResponseTimestamp


class LoanView(BaseModel):
    """A loan as the API answers it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    external_id: str | None
    client_id: UUID
    currency: str
    principal: AmountText
    annual_rate_percent: RateText
    term_months: int
    method: Method
    day_count: DayCount
    interest_only_months: int
    disburse_on: date
    first_due_on: date
    due_day: int
    opening_fee: AmountText
    instalment_fee: AmountText
    late_annual_rate_percent: RateText
    late_grace_days: int
    business_days: str | None
    notes: str | None
    status: LoanStatus
    instalment: Annotated[AmountText, Field(description="Of the first row that repays, as agreed.")]
    last_due_on: Annotated[date, Field(description="Of the last row, as agreed.")]
    total_interest: Annotated[AmountText, Field(description="As agreed.")]
    total_fees: Annotated[AmountText, Field(description="As agreed, the opening fee among them.")]
    effective_annual_rate_percent: RateText
    annual_cost_percent: Annotated[
        RateText | None, Field(description="CAT without tax, TAE, APR; null where it is too high to be told.")
    ]
    principal_outstanding: AmountText
    next_unpaid_due_on: Annotated[
        date | None, Field(description="Of the oldest row that is not covered, nor will be by held money.")
    ]
    days_past_due: int
    approvals: list[Approval]
    approvals_missing: int
    disbursed_on: date | None
    paid_on: date | None
    created_by: str
    updated_by: str
    created_at: ResponseTimestamp
    updated_at: ResponseTimestamp


class Figures(BaseModel):
    """What terms say, before anybody pays."""

    instalment: AmountText
    last_due_on: date
    total_interest: AmountText
    total_fees: AmountText
    effective_annual_rate_percent: RateText
    annual_cost_percent: RateText | None


def editable(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of `loans`
    """The fields of a loan that a caller can edit."""
    return {name: getattr(row, name) for name in LoanEdit.model_fields}
