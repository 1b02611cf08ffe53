"""`/sync`: whether both services hold the same passengers."""

from fastapi import APIRouter

from passengers_service.models.tables import passengers
from service_kit.copy_digest import CopyDigest, copy_digest
from service_kit.postgres_session import SessionDep, TransactionRoute

router = APIRouter(prefix="/sync", tags=["sync"], route_class=TransactionRoute)


@router.get("/digest", summary="Digest of all passengers")
async def read_digest(session: SessionDep) -> CopyDigest:
    """Count and digest of all passengers, deleted ones too: equal to those of reservations_service when all is synced.

    Takes about a second for a million passengers.
    """
    return await copy_digest(session, passengers)
