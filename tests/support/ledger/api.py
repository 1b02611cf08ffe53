"""The ledger's API: payments with their events, as a service writes them."""

from fastapi import APIRouter, FastAPI
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from service_kit.api.app import create_app
from service_kit.postgres.dependencies import SessionDep, TransactionRoute
from service_kit.postgres.engine import violated_constraint
from service_kit.postgres.outbox import add_events
from service_kit.postgres.store import PostgresStore
from service_kit.problems import ServiceError
from tests.support.ledger.tables import OUTBOX, PAYMENTS
from tests.support.notes_api import NotesSettings
from tests.support.rabbit_support import thing_happened

router = APIRouter(prefix="/payments", route_class=TransactionRoute)


class PaidAlreadyError(ServiceError):
    """This payer has paid."""

    status = 409
    code = "paid-already"


@router.post("", status_code=201)
async def flush_acks(payer: str, session: SessionDep, *, cents: int = 1, then_fail: bool = False) -> int:
    try:
        paid: int | None = await session.scalar(
            insert(PAYMENTS).values(payer=payer, cents=cents).returning(PAYMENTS.c.id)
        )
    except IntegrityError as error:
        if violated_constraint(error) == "payments_one_a_payer":
            raise PaidAlreadyError(f"{payer} has paid.") from error
        raise
    await add_events(session, OUTBOX, [(thing_happened(payer), payer)])
    if then_fail:
        raise PaidAlreadyError("After all not.")
    assert paid is not None
    return paid


@router.get("/count")
async def count(session: SessionDep) -> int:
    found: int | None = await session.scalar(select(func.count()).select_from(PAYMENTS))
    return found or 0


def build(store: PostgresStore) -> FastAPI:
    """The API on a store."""
    return create_app(NotesSettings(), description="Payments.", routers=[router], resources=[store])
