"""Writing down which holds are over: each once, by whichever replica has it, and by nobody else's leave."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
from sqlalchemy import func, select, update

from reservations_service.models.tables import RESERVATIONS
from reservations_service.services.expiry import HoldExpiry, expire_overdue
from service_kit.clock import utc_now
from service_kit.postgres.store import PostgresStore
from service_kit.testing.fakes import FakeClock
from tests.reservations_service.conftest import booked, edit
from tests.reservations_service.routes.test_listing import NOON, row, store_rows
from tests.support.rabbit_support import until

HOLD = timedelta(minutes=15)


async def pending(store: PostgresStore, ana: UUID, count: int) -> None:
    """Holds that were over long ago."""
    flights = [f"IB{number + 1}" for number in range(count)]
    await store_rows(store, [row(ana, NOON, status="pending", flight_number=flight) for flight in flights])


async def count(store: PostgresStore, status: str) -> int:
    async with store.transaction() as session:
        counted = select(func.count()).where(RESERVATIONS.c.status == status)
        return await session.scalar(counted) or 0


async def test_expires_what_is_overdue_and_nothing_else(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore, clock: FakeClock
) -> None:
    over, confirmed = await booked(api, ana, seat="1A"), await booked(api, ana, seat="1B")
    await edit(api, confirmed, status="confirmed")
    clock.advance(timedelta(milliseconds=1))
    await booked(api, ana, seat="1C")

    async with store.transaction() as session:
        expired = await expire_overdue(session, now=clock.now + HOLD - timedelta(milliseconds=1))
        stored = (await session.execute(select(RESERVATIONS).where(RESERVATIONS.c.id == UUID(over["id"])))).one()

    assert expired == 1
    assert (stored.status, stored.version, stored.updated_at) == ("expired", 2, stored.hold_expires_at)
    assert (await count(store, "pending"), await count(store, "confirmed")) == (1, 1)


async def test_replicas_share_the_work_and_do_nothing_twice(ana: UUID, store: PostgresStore) -> None:
    await pending(store, ana, 1200)

    async def one() -> int:
        async with store.transaction() as session:
            expired = await expire_overdue(session, now=utc_now())
            await asyncio.sleep(0.2)  # the others come while these are locked
            return expired

    shares = [await task for task in [asyncio.create_task(one()) for _ in range(4)]]
    assert (sum(shares), max(shares)) == (1200, 500)
    async with store.transaction() as session:
        assert set(await session.scalars(select(RESERVATIONS.c.version))) == {2}


async def test_passes_over_what_somebody_is_changing(ana: UUID, store: PostgresStore) -> None:
    await pending(store, ana, 2)
    async with store.transaction() as editor, store.transaction() as session:
        await editor.execute(update(RESERVATIONS).where(RESERVATIONS.c.flight_number == "IB1").values(cabin="first"))

        assert await expire_overdue(session, now=utc_now()) == 1


async def test_works_in_the_background_also_on_more_than_one_batch(ana: UUID, store: PostgresStore) -> None:
    await pending(store, ana, 1001)

    async def is_done() -> bool:
        return await count(store, "expired") == 1001

    async with HoldExpiry(store).running():
        await until(is_done)


async def test_goes_on_after_the_store_was_away(ana: UUID, store: PostgresStore) -> None:
    await pending(store, ana, 1)
    store._prepared = False

    async def is_done() -> bool:
        return store._prepared and await count(store, "expired") == 1

    async with HoldExpiry(store, every_seconds=0.01).running():
        await asyncio.sleep(0.1)
        store._prepared = True
        await until(is_done)
