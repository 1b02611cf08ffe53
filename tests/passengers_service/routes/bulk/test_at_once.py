"""Loads at the same moment as other loads and as registrations."""

import asyncio
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from passengers_service.services.bulk_load import Loads
from service_kit.postgres_store import PostgresStore
from tests.passengers_service.bulk_rows import as_ndjson, row_of
from tests.passengers_service.routes.bulk.conftest import MAX_ROWS, NDJSON, counts, events, load, stored


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
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
        while not (await session.execute(waiting)).scalar():  # noqa: ASYNC110 - it is PostgreSQL that changes it
            await asyncio.sleep(0.01)

    assert counts(await loading) == (2, 1, 1, 0, 0)
    assert await stored(store) == [row_of(2) | {"email": "ana2@example.com"}, row_of(3)]


async def test_a_load_waits_for_its_turn_before_it_reads(app: FastAPI, api: httpx.AsyncClient) -> None:
    app.state.loads = Loads(app.state.clock, max_rows=MAX_ROWS, at_once=1)
    order: list[str] = []

    async def body(name: str, number: int) -> AsyncIterator[bytes]:
        order.append(f"{name} begins")
        await asyncio.sleep(0.05)
        order.append(f"{name} ends")
        yield as_ndjson([row_of(number)])

    headers = {"Content-Type": NDJSON}
    async with asyncio.TaskGroup() as callers:
        for number, name in enumerate(["one", "another"]):
            callers.create_task(api.post("/passengers/bulk", content=body(name, number), headers=headers))

    assert order == ["one begins", "one ends", "another begins", "another ends"]
