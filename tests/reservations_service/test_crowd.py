"""Everything at once on a few seats: nobody meets an error, and no seat is ever sold twice."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from uuid import UUID

import httpx
from sqlalchemy import func, select

from reservations_service.models.tables import RESERVATIONS
from reservations_service.services.expiry import expire_overdue
from service_kit.postgres.store import PostgresStore
from service_kit.testing.fakes import FakeClock
from tests.reservations_service.conftest import TRIP, book, edit
from tests.reservations_service.routes.test_passengers import change

CALLERS = 25
CALLS = 12
SEATS = ["1A", "1B", "1C", "1D"]
STATUSES = ["pending", "confirmed", "cancelled"]
EXPECTED = {200, 201, 204, 404, 409, 412}


async def call(api: httpx.AsyncClient, passenger_id: UUID, chance: random.Random) -> int:
    """Books, or moves, confirms, cancels or removes one of what there is, or changes the passenger."""
    listed = (await api.get("/reservations", params={"limit": 5})).json()["items"]
    found = chance.choice(listed or [{"id": passenger_id, **TRIP, "status": "pending"}])
    tag = {"If-Match": f'"{chance.randint(1, 3)}"'} if chance.randint(1, 3) == 1 else {}
    match chance.choice(["book", "move", "status", "remove", "passenger"]):
        case "book":
            answer = await book(api, passenger_id, seat=chance.choice(SEATS))
        case "move":
            answer = await edit(api, found, tag, seat=chance.choice(SEATS))
        case "status":
            answer = await edit(api, found, tag, status=chance.choice(STATUSES))
        case "remove":
            answer = await api.delete(f"/reservations/{found['id']}", headers=tag)
        case _:
            answer = await change(api, passenger_id, email=f"ana{chance.randint(1, 9)}@example.com")
    return answer.status_code


async def caller(api: httpx.AsyncClient, passenger_id: UUID, clock: FakeClock, chance: random.Random) -> Counter[int]:
    """Calls again and again; time goes by meanwhile."""
    answers: Counter[int] = Counter()
    for _ in range(CALLS):
        clock.advance(timedelta(seconds=chance.randint(0, 60)))
        answers[await call(api, passenger_id, chance)] += 1
    return answers


async def test_a_crowd_meets_no_error_and_shares_the_seats(
    api: httpx.AsyncClient, ana: UUID, clock: FakeClock, store: PostgresStore
) -> None:
    async def expiring() -> None:
        while True:
            async with store.transaction() as session:
                await expire_overdue(session, now=clock.now)
            await asyncio.sleep(0.01)

    background = asyncio.create_task(expiring())
    counts = await asyncio.gather(*(caller(api, ana, clock, random.Random(seed)) for seed in range(CALLERS)))
    assert not background.done()
    background.cancel()

    answered = sum(counts, Counter[int]())
    rows = RESERVATIONS.c
    async with store.transaction() as session:
        held = select(rows.seat, func.count()).where(rows.status.in_(["pending", "confirmed"])).group_by(rows.seat)
        assert all(count == 1 for _, count in await session.execute(held))
        statuses = set(await session.scalars(select(rows.status)))
    assert answered.keys() <= EXPECTED, answered
    assert answered[200] > CALLERS
    assert answered[201] > CALLERS / 2
    assert {"expired", "cancelled"} <= statuses
