"""`/sync`: whether both services hold the same passengers."""

from fastapi import APIRouter

from passengers_service.routes.dependencies import ReplicationDep
from service_kit.replication.digest import CopyDigest

router = APIRouter(prefix="/sync", tags=["sync"])


@router.get("/digest", summary="Digest of all passengers")
async def read_digest(replication: ReplicationDep) -> CopyDigest:
    """Count and digest of all passengers, deleted ones too: equal to those of reservations_service when all is synced.

    Takes about a second for a million passengers.
    """
    return await replication.digest.read()
