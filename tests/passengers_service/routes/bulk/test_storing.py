"""What a load leaves behind: its passengers, their events, and a new tag of the list."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from passengers_service.events import NODE
from service_kit.clock import utc_now
from service_kit.postgres.store import PostgresStore
from service_kit.replication.hybrid_clock import HybridClock
from tests.passengers_service.bulk_rows import JsonObject, as_csv, as_json, as_ndjson, row_of
from tests.passengers_service.routes.bulk.conftest import (
    CSV,
    JSON,
    NDJSON,
    asked,
    counts,
    events,
    list_version,
    load,
    stored,
)


@pytest.mark.parametrize(
    ("kind", "write"), [(NDJSON, as_ndjson), (JSON, as_json), (CSV, as_csv)], ids=["ndjson", "json", "csv"]
)
async def test_stores_a_load_of_thousands(
    api: httpx.AsyncClient, store: PostgresStore, kind: str, write: Callable[[Sequence[JsonObject]], bytes]
) -> None:
    rows = [row_of(number, last_name='Núñez, "el Zo"', email=None) for number in range(2_345)]

    assert counts(await load(api, write(rows), kind)) == (2_345, 2_345, 0, 0, 0)
    assert await stored(store) == rows


async def test_the_events_tell_all_of_them_in_chunks(api: httpx.AsyncClient, store: PostgresStore) -> None:
    await load(api, as_ndjson([row_of(number) for number in range(1_201)]))

    told = await events(store)

    assert [len(event.changes) for event in told] == [500, 500, 201]
    changes = {str(change.id): change for event in told for change in event.changes}
    for row in await asked(store, "SELECT * FROM passengers"):
        change = changes[str(row.id)]
        assert set(row.stamps) == {int(change.stamp, 16)}
        assert {name: getattr(row, name) for name in change.fields.__struct_fields__} == {
            name: getattr(change.fields, name) for name in change.fields.__struct_fields__
        }


async def test_the_same_load_again_changes_nothing(api: httpx.AsyncClient, store: PostgresStore) -> None:
    body = as_csv([row_of(number, phone=None) for number in range(1_500)])
    await load(api, body, CSV)
    version, told = await list_version(store), await events(store)

    assert counts(await load(api, body, CSV)) == (1_500, 0, 0, 1_500, 0)
    assert (await list_version(store), await events(store)) == (version, told)


async def test_only_what_differs_is_changed_and_told(api: httpx.AsyncClient, store: PostgresStore) -> None:
    await load(api, as_ndjson([row_of(number) for number in range(5)]))
    before = {row.document_number: row for row in await asked(store, "SELECT * FROM passengers")}
    version = await list_version(store)

    rows = [row_of(0), row_of(1, email=None), row_of(2, first_name='Zoë "Zo"', nationality="PT"), row_of(7)]
    answer = await load(api, as_ndjson(rows))

    assert counts(answer) == (4, 1, 2, 1, 0)
    assert await list_version(store) == version + 1
    changes = {change.id: change for event in (await events(store))[1:] for change in event.changes}
    email = changes[before["PAB000001"].id]
    assert (email.fields.email, email.fields.phone) == (None, type(email.fields)().phone)
    names = changes[before["PAB000002"].id]
    assert (names.fields.first_name, names.fields.nationality) == ('Zoë "Zo"', "PT")
    after = {row.document_number: row for row in await asked(store, "SELECT * FROM passengers")}
    assert after["PAB000000"] == before["PAB000000"]
    old, new = before["PAB000001"], after["PAB000001"]
    assert (new.email, new.version, new.created_at) == (None, old.version + 1, old.created_at)
    changed = [field for field, (was, now) in enumerate(zip(old.stamps, new.stamps, strict=True)) if was != now]
    assert (changed, new.stamps[4]) == ([4], int(email.stamp, 16))


async def test_a_change_is_stamped_later_than_a_clock_that_runs_ahead(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await load(api, as_ndjson([row_of(1)]))
    ahead = HybridClock(NODE, lambda: utc_now() + timedelta(hours=1)).tick()
    async with store.transaction() as session:
        await session.execute(text("UPDATE passengers SET stamps[4] = :ahead"), {"ahead": ahead})

    await load(api, as_ndjson([row_of(1, phone=None)]))

    assert (await asked(store, "SELECT stamps[6] FROM passengers"))[0][0] > ahead


async def test_the_list_has_a_new_tag_when_a_load_has_changed_something(api: httpx.AsyncClient) -> None:
    body = as_ndjson([row_of(number) for number in range(50)])
    empty = await api.get("/passengers")
    await load(api, body)
    full = await api.get("/passengers")
    await load(api, body)

    assert full.headers["ETag"] != empty.headers["ETag"]
    known = await api.get("/passengers", headers={"If-None-Match": full.headers["ETag"]})
    assert known.status_code == 304
