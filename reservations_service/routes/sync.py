"""`/sync`: whether both services hold the same passengers."""

from fastapi import APIRouter

from reservations_service.routes.dependencies import ReplicationDep
from service_kit.replication.digest import CopyDigest

router = APIRouter(prefix="/sync", tags=["sync"])


@router.get("/digest", summary="Digest of all passengers")
async def read_digest(replication: ReplicationDep) -> CopyDigest:
    """Count and digest of all passengers, deleted ones too: equal to those of passengers_service when all is synced.

    They differ while an event is on its way. If they stay so, `python -m reservations_service.resync` repairs it.
    """
    return await replication.digest.read()
