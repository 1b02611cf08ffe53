"""Writes down in the background which holds are over. Nothing waits for it: `Reservation.as_of` knows as much before.

Replicas harm nobody: each passes over the rows that another has in its hands.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.models.tables import RESERVATIONS
from reservations_service.services.seats import expiry_of, overdue
from service_kit.clock import utc_now
from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError

log = structlog.get_logger()

_AT_ONCE: Final = 500
_EVERY_SECONDS: Final = 5.0
_REASON_CHARACTERS: Final = 300


@asynccontextmanager
async def expiring(store: PostgresStore, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[None]:
    """Expire holds every few seconds while the block runs."""
    task = asyncio.create_task(_expire_for_ever(store, clock))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _expire_for_ever(store: PostgresStore, clock: Callable[[], datetime]) -> None:
    while True:
        try:
            while await _expire_some(store, clock()) == _AT_ONCE:
                pass
        except StoreUnavailableError:
            pass  # told by whoever opens the store; this comes again
        except Exception as error:  # noqa: BLE001 - nobody awaits this task; whatever it meets must be told
            log.warning("holds_not_expired", error=f"{type(error).__name__}: {error}"[:_REASON_CHARACTERS])
        await asyncio.sleep(_EVERY_SECONDS)


async def _expire_some(store: PostgresStore, now: datetime) -> int:
    count = await store.in_transaction(partial(expire_overdue, now=now))
    if count:
        log.info("holds_expired", count=count)
    return count


async def expire_overdue(session: AsyncSession, *, now: datetime) -> int:
    """Expire up to 500 holds that are over, the oldest first; answers how many."""
    rows = RESERVATIONS.c
    free = select(rows.id).where(overdue(now)).order_by(rows.hold_expires_at).limit(_AT_ONCE)
    leased = free.with_for_update(skip_locked=True).cte("leased")
    expired = await session.execute(expiry_of(rows.id.in_(select(leased.c.id))).returning(rows.id))
    return len(expired.all())
