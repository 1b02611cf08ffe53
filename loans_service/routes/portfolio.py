"""`GET /portfolio`."""

from fastapi import APIRouter

from loans_service.routes.dependencies import ContextDep
from loans_service.services.portfolio import Portfolio, read_portfolio
from service_kit.postgres.dependencies import SessionDep, TransactionRoute

router = APIRouter(prefix="/portfolio", tags=["portfolio"], route_class=TransactionRoute)


@router.get("", summary="Read the portfolio")
@router.get("/", include_in_schema=False)
async def read(session: SessionDep, context: ContextDep) -> Portfolio:
    """How many loans there are and how much principal is outstanding, by currency, status and days past due."""
    return await read_portfolio(session, context)
