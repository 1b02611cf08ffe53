"""`/sync`: whether both services hold the same passengers."""

from fastapi import APIRouter

from reservations_service.models.tables import PASSENGERS
from service_kit.copy_digest import CopyDigest, copy_digest
from service_kit.postgres_session import SessionDep, TransactionRoute

router = APIRouter(prefix="/sync", tags=["sync"], route_class=TransactionRoute)


@router.get("/digest", summary="Digest of all passengers")
async def read_digest(session: SessionDep) -> CopyDigest:
    """Count and digest of all passengers, deleted ones too: equal to those of passengers_service when all is synced.

    They differ while an event is on its way. If they stay so, `python -m reservations_service.resync` repairs it.
    """
    return await copy_digest(session, PASSENGERS)
