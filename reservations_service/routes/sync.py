"""`/sync`: whether both services hold the same passengers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from service_kit.replication.digest import CopyDigest, SharedDigest

router = APIRouter(prefix="/sync", tags=["sync"])


async def _digest(request: Request) -> SharedDigest:
    digest: SharedDigest = request.app.state.digest
    return digest


@router.get("/digest", summary="Digest of all passengers")
async def read_digest(digest: Annotated[SharedDigest, Depends(_digest)]) -> CopyDigest:
    """Count and digest of all passengers, deleted ones too: equal to those of passengers_service when all is synced.

    They differ while an event is on its way. If they stay so, `python -m reservations_service.resync` repairs it.
    """
    return await digest.read()
