"""A payment and what is owed: as callers send and the API answers them."""

from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from loans_service.models.amounts import AmountText, PaidAmount
from loans_service.models.days import Day
from loans_service.models.texts import Line, Notes
from loans_service.money.payments import Excess
from service_kit.fields.timestamps import ResponseTimestamp

_HASH_BYTES: Final = 16


class PaymentTerms(BaseModel):
    """An amount and its day."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"amount": "960.60", "paid_on": "2026-02-28"}]}
    )

    amount: PaidAmount
    paid_on: Annotated[Day | None, Field(description="By default today.")] = None

    @field_serializer("amount", when_used="json")
    def _with_all_decimals(self, amount: Decimal) -> str:
        return f"{amount:.2f}"


class NewPayment(PaymentTerms):
    """Money that came, as a caller sends it."""

    excess: Annotated[
        Excess | None,
        Field(description="What to do with more than the next row takes: `shorten_term` keeps the amount."),
    ] = None
    reference: Annotated[Line | None, Field(description="The bank's, say.")] = None
    note: Notes | None = None

    def fingerprint(self, loan_id: UUID) -> bytes:
        """By which a repeat is told from another payment with the same key."""
        told = f"{loan_id} {self.model_dump_json(exclude_defaults=True)}"
        return blake2b(told.encode(), digest_size=_HASH_BYTES).digest()


class PartsView(BaseModel):
    """Amounts by part."""

    fee: AmountText
    late_interest: AmountText
    interest: AmountText
    principal: AmountText


class PaymentView(PartsView):
    """A payment as the API answers it, with what it covered on its day."""

    id: UUID
    loan_id: UUID
    number: Annotated[int, Field(description="In the order in which they arrived, from 1.")]
    amount: AmountText
    paid_on: date
    excess: Excess | None
    reference: str | None
    note: str | None
    held: Annotated[AmountText, Field(description="Waits for the next row.")]
    applied_later: Annotated[PartsView, Field(description="What it covered after it was held.")]
    reversed_at: ResponseTimestamp | None = None
    reversed_by: str | None = None
    reverse_reason: str | None = None
    created_by: str
    created_at: ResponseTimestamp


class PrepaymentView(BaseModel):
    """What the coming rows would be after a prepayment."""

    instalment: AmountText
    last_due_on: date
    rows: int
    interest_saved: AmountText


class Choices(BaseModel):
    """What each way to use the excess would do; null where nothing would be prepaid."""

    shorten_term: PrepaymentView | None = None
    lower_instalment: PrepaymentView | None = None


class PaymentQuote(BaseModel):
    """What a payment would do."""

    paid_on: date
    allocation: Annotated[PartsView, Field(description="What it would cover at once, without `excess`.")]
    held: Annotated[AmountText, Field(description="What would be left over, without `excess`.")]
    needs_choice: Annotated[bool, Field(description="Whether more is left over than can be held.")]
    payoff: Annotated[AmountText, Field(description="Closes the loan on this day.")]
    choices: Choices


class NextRow(BaseModel):
    """The next row to fall due."""

    number: int
    due_on: date
    payable_on: date
    total: AmountText


class BalanceView(BaseModel):
    """What is owed on a day."""

    currency: str
    as_of: date
    due: PartsView
    due_total: AmountText
    accrued_interest: AmountText
    principal_outstanding: AmountText
    held: AmountText
    payoff: AmountText
    days_past_due: int
    bucket: Annotated[str, Field(description="0, 1-30, 31-60, 61-90 or 90+ days past due.")]
    next_instalment: NextRow | None
