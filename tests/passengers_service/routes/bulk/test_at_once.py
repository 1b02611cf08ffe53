"""Loads at the same moment as other loads and as registrations."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.postgres.store import PostgresStore
from tests.passengers_service.bulk_rows import as_ndjson, row_of
from tests.passengers_service.routes.bulk.conftest import NDJSON, counts, events, load, stored


async def test_overlapping_loads_at_once_store_each_passenger_once(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    rows = [row_of(number) for number in range(3_000)]
    loads = [rows[:2_000], rows[1_000:][::-1], rows[500:2_500], rows[::-1]]

    answers = await asyncio.gather(*(load(api, as_ndjson(one)) for one in loads))

    assert [answer.json()["updated"] for answer in answers] == [0] * 4
    assert sum(answer.json()["created"] for answer in answers) == 3_000
    assert await stored(store) == rows
    assert sum(len(event.changes) for event in await events(store)) == 3_000


async def test_a_load_and_single_registrations_do_not_lose_each_other(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    rows = [row_of(number) for number in range(1_000)]
    some = rows[::20]

    answer, *singles = await asyncio.gather(
        load(api, as_ndjson(rows)), *(api.post("/passengers", json=row) for row in some)
    )

    registered = [single.status_code for single in singles].count(201)
    assert {single.status_code for single in singles} <= {201, 409}
    assert counts(answer) == (1_000, 1_000 - registered, 0, registered, 0)
    assert await stored(store) == rows


async def test_a_registration_that_is_not_committed_yet_is_waited_for(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    """The load meets it only at its own insert: so it looks once more."""
    await load(api, as_ndjson([row_of(1, first_name="Eva")]))
    async with store.transaction() as session:
        await session.execute(text("UPDATE passengers SET document_number = 'PAB000002'"))
        loading = asyncio.create_task(load(api, as_ndjson([row_of(2), row_of(3)])))
        await _until_waiting(session, 1)

    assert counts(await loading) == (2, 1, 1, 0, 0)
    assert await stored(store) == [row_of(2) | {"email": "ana2@example.com"}, row_of(3)]


@pytest.mark.parametrize("at_once", [1])
async def test_loads_that_have_not_come_yet_hold_up_nobody(api: httpx.AsyncClient, store: PostgresStore) -> None:
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow_body(number: int) -> AsyncIterator[bytes]:
        body = as_ndjson([row_of(number), row_of(number + 100)])
        yield body[:-5]
        begun.release()
        await go_on.wait()
        yield body[-5:]

    headers = {"Content-Type": NDJSON}
    async with asyncio.TaskGroup() as callers:
        slow = [
            callers.create_task(api.post("/passengers/bulk", content=slow_body(number), headers=headers))
            for number in range(20)
        ]
        for _ in slow:
            await begun.acquire()
        async with asyncio.timeout(10):
            assert counts(await load(api, as_ndjson([row_of(500)]))) == (1, 1, 0, 0, 0)
        assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a queue pool's
        go_on.set()

    assert [counts(task.result()) for task in slow] == [(2, 2, 0, 0, 0)] * 20


@pytest.mark.parametrize("step_rows", [1])
async def test_a_load_and_an_edit_that_wait_for_each_other_are_both_answered(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    """The edit has passenger 1 and wants document 9, the load has 9 and wants 1: PostgreSQL undoes one of the two."""
    await load(api, as_ndjson([row_of(1)]))
    [passenger] = (await api.get("/passengers")).json()["items"]
    async with store.transaction() as session:
        await session.execute(text("SELECT FROM passengers FOR UPDATE"))  # until both are where they have to be
        editing = asyncio.create_task(api.put(f"/passengers/{passenger['id']}", json=row_of(9)))
        await _until_waiting(session, 1)
        loading = asyncio.create_task(load(api, as_ndjson([row_of(9), row_of(1, first_name="Eva")])))
        await _until_waiting(session, 2)

    edited, loaded = await asyncio.gather(editing, loading)
    assert (edited.status_code, loaded.status_code) in {(200, 200), (409, 200)}
    assert [row["document_number"] for row in await stored(store)] == ["PAB000001", "PAB000009"]


async def _until_waiting(session: AsyncSession, count: int) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')")
    while await session.scalar(waiting) != count:  # noqa: ASYNC110 - it is PostgreSQL that changes it
        await asyncio.sleep(0.01)
