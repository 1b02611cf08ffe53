"""Stores in the background which holds have expired. Nothing depends on it: `Reservation.as_of` shows it before.

Several processes may do it: each skips rows that another one has locked.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.models.tables import RESERVATIONS
from reservations_service.services.seats import expiry_of, overdue
from service_kit.background import repeating
from service_kit.clock import utc_now
from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.resources import Resource

log = structlog.get_logger()

_AT_ONCE: Final = 500


class HoldExpiry(Resource):
    """Expires holds that are over.

    Args:
        store: That of the reservations.
        clock: The time.
        every_seconds: How often it looks for them.
    """

    def __init__(
        self, store: PostgresStore, clock: Callable[[], datetime] = utc_now, *, every_seconds: float = 5.0
    ) -> None:
        self._store = store
        self._clock = clock
        self._every_seconds = every_seconds

    def running(self) -> AbstractAsyncContextManager[None]:
        """Expire holds while the block runs."""
        return repeating(
            self._expire_all,
            failure="holds_not_expired",
            again_seconds=self._every_seconds,
            silent=(StoreUnavailableError,),  # logged by the store
        )

    async def _expire_all(self) -> None:
        while await self._expire_some() == _AT_ONCE:
            pass
        await asyncio.sleep(self._every_seconds)

    async def _expire_some(self) -> int:
        count = await self._store.in_transaction(partial(expire_overdue, now=self._clock()))
        if count:
            log.info("holds_expired", count=count)
        return count


async def expire_overdue(session: AsyncSession, *, now: datetime) -> int:
    """Expire up to 500 holds that are over, the oldest first; returns how many."""
    rows = RESERVATIONS.c
    free = select(rows.id).where(overdue(now)).order_by(rows.hold_expires_at).limit(_AT_ONCE)
    leased = free.with_for_update(skip_locked=True).cte("leased")
    expired = await session.execute(expiry_of(rows.id.in_(select(leased.c.id))).returning(rows.id))
    return len(expired.all())
