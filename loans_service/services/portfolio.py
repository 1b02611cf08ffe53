"""`GET /portfolio`: what is lent, by currency, status and days past due, from the stored columns."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Numeric, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.amounts import AmountText, amount_text
from loans_service.models.status import LoanStatus
from loans_service.models.tables import LOANS
from loans_service.services.context import RequestContext
from loans_service.services.loan_rows import shown, visible_loans

_BUCKETS: Final = ((0, "0"), (30, "1-30"), (60, "31-60"), (90, "61-90"))


class PortfolioRow(BaseModel):
    """Loans that have three things in common."""

    model_config = ConfigDict(from_attributes=True)

    currency: str
    status: LoanStatus
    bucket: Annotated[str, Field(description="0, 1-30, 31-60, 61-90 or 90+ days past due.")]
    loans: int
    principal_outstanding: AmountText


class Portfolio(BaseModel):
    """All loans, added up."""

    rows: list[PortfolioRow]


async def read_portfolio(session: AsyncSession, context: RequestContext) -> Portfolio:
    """Add up the loans that the caller may see."""
    texts, rows = shown(context.today), LOANS.c
    days = texts["days_past_due"]
    bucket = case(*((days <= most, name) for most, name in _BUCKETS), else_="90+").label("bucket")
    outstanding = cast(texts["principal_outstanding"], Numeric).label("outstanding")
    each = select(rows.currency, rows.status, bucket, outstanding).where(visible_loans(context.caller)).subquery()
    keys = (each.c.currency, each.c.status, each.c.bucket)
    sums = select(*keys, func.count().label("loans"), func.sum(each.c.outstanding).label("outstanding"))
    found = await session.execute(sums.group_by(*keys).order_by(*keys))
    return Portfolio(
        rows=[
            PortfolioRow(
                currency=row.currency,
                status=row.status,
                bucket=row.bucket,
                loans=row.loans,
                principal_outstanding=amount_text(row.outstanding, row.currency),
            )
            for row in found
        ]
    )
