"""`POST /passengers/bulk` on a real PostgreSQL; without a broker, so that the events stay in the outbox."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.types import Message

from dev_stack.postgres import Postgres
from passengers_service.config.database import open_store
from passengers_service.config.settings import PassengersSettings
from passengers_service.events import NODE, PassengersChanged
from passengers_service.routes import bulk, passengers
from passengers_service.services.bulk_load import Loads
from passengers_service.services.bulk_result import LISTED_MISTAKES
from service_kit.app import create_app
from service_kit.clock import utc_now
from service_kit.events import decode_event, read_data
from service_kit.hybrid_clock import HybridClock
from service_kit.postgres import POSTGRES_TRANSLATIONS
from service_kit.postgres_store import PostgresStore
from tests.passengers_service.bulk_rows import COLUMNS, JsonObject, as_csv, as_json, as_ndjson, row_of

NDJSON, JSON, CSV = "application/x-ndjson", "application/json", "text/csv; charset=utf-8"
MAX_ROWS = 5_000
LENIENT = {"Prefer": "handling=lenient"}
MINE = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"
THEIRS = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f51"


@pytest.fixture
def settings(postgres: Postgres) -> PassengersSettings:
    return PassengersSettings.model_validate(
        {"database_url": postgres.url, "database_name": "bulk_tests", "bulk_max_bytes": 2_000_000}
    )


@pytest.fixture
async def store(settings: PassengersSettings) -> AsyncIterator[PostgresStore]:
    store = open_store(settings)
    await store.prepare()
    async with store.transaction() as session:
        await session.execute(text("TRUNCATE passengers, outbox, list_version"))
    yield store
    await store.engine.dispose()


@pytest.fixture
def app(settings: PassengersSettings, store: PostgresStore) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_app(
        settings,
        description="Loads.",
        routers=[passengers.router, bulk.router],
        lifespan=lifespan,
        translations=POSTGRES_TRANSLATIONS,
    )
    app.state.store, app.state.clock = store, HybridClock(NODE, utc_now)
    app.state.loads = Loads(app.state.clock, max_rows=MAX_ROWS)
    return app


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api", timeout=30) as api:
        yield api


async def load(api: httpx.AsyncClient, body: bytes, kind: str = NDJSON, **headers: str) -> httpx.Response:
    return await api.post("/passengers/bulk", content=body, headers={"Content-Type": kind, **headers})


def counts(answer: httpx.Response) -> tuple[int, ...]:
    """Received, created, updated, unchanged, rejected."""
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return tuple(found[name] for name in ("received", "created", "updated", "unchanged", "rejected_count"))


def reasons(answer: httpx.Response) -> list[tuple[int, str | None, str]]:
    return [(one["row"], one["field"], one["reason"]) for one in answer.json()["rejected"]]


async def asked(store: PostgresStore, query: str) -> Sequence[Any]:
    async with store.transaction() as session:
        return (await session.execute(text(query))).all()


async def stored(store: PostgresStore) -> list[JsonObject]:
    rows = await asked(store, f"SELECT {', '.join(COLUMNS)} FROM passengers ORDER BY document_number")  # noqa: S608 - constants
    return [row._asdict() | {"birth_date": str(row.birth_date)} for row in rows]


async def events(store: PostgresStore) -> list[PassengersChanged]:
    rows = await asked(store, "SELECT topic, body FROM outbox ORDER BY position")
    assert {row.topic for row in rows} <= {"passenger.changed"}
    return [read_data(decode_event(row.body), PassengersChanged) for row in rows]


async def list_version(store: PostgresStore) -> int:
    return int((await asked(store, "SELECT coalesce(sum(count), 0) FROM list_version"))[0][0])


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
    ahead = 1 << 62
    async with store.transaction() as session:
        await session.execute(text("UPDATE passengers SET stamps[4] = :ahead"), {"ahead": ahead})

    await load(api, as_ndjson([row_of(1, phone=None)]))

    assert (await asked(store, "SELECT stamps[6] FROM passengers"))[0][0] > ahead


async def test_nothing_is_stored_if_a_row_is_bad(api: httpx.AsyncClient, store: PostgresStore) -> None:
    rows = [row_of(number) for number in range(2_100)]
    rows[1_234]["birth_date"] = "2090-01-01"
    rows[2_000]["nationality"] = "Spain"

    answer = await load(api, as_csv(rows), CSV)

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "urn:problem-type:rejected-rows")
    assert (problem["received"], problem["rejected_count"]) == (2_100, 2)
    assert reasons(answer) == [
        (1_235, "birth_date", "Write a day from 1900-01-01 to yesterday, like 1990-05-17"),
        (2_001, "nationality", "A country is two capital letters of ISO 3166-1, like ES"),
    ]
    assert (await stored(store), await events(store)) == ([], [])


async def test_the_good_rows_are_stored_on_request(api: httpx.AsyncClient, store: PostgresStore) -> None:
    rows = [row_of(number) for number in range(1_200)]
    rows[600]["phone"] = "600 123"

    answer = await load(api, as_ndjson(rows), Prefer="respond-async, Handling=Lenient; x=1")

    assert counts(answer) == (1_200, 1_199, 0, 0, 1)
    assert [(row, field) for row, field, _ in reasons(answer)] == [(601, "phone")]
    assert answer.headers["Preference-Applied"] == "handling=lenient"
    assert len(await stored(store)) == 1_199


@pytest.mark.parametrize(
    ("prefer", "applied"), [("handling=strict", "handling=strict"), ("handling=odd", None), ("return=minimal", None)]
)
async def test_only_a_preference_that_was_applied_is_echoed(
    api: httpx.AsyncClient, prefer: str, applied: str | None
) -> None:
    answer = await load(api, as_ndjson([row_of(1)]), Prefer=prefer)

    assert answer.headers.get("Preference-Applied") == applied


async def test_the_same_document_twice_is_a_bad_row(api: httpx.AsyncClient, store: PostgresStore) -> None:
    rows = [row_of(1), row_of(2), row_of(1, document_number="pab000001", first_name="Eva"), row_of(1)]
    twice = "The same document is in row 1 of this load already"

    strict = await load(api, as_ndjson(rows))
    lenient = await load(api, as_ndjson(rows), **LENIENT)

    assert strict.status_code == 422
    assert reasons(strict) == reasons(lenient) == [(3, "document_number", twice), (4, "document_number", twice)]
    assert counts(lenient) == (4, 2, 0, 0, 2)
    assert await stored(store) == rows[:2]


async def test_many_mistakes_are_counted_and_the_first_are_listed(api: httpx.AsyncClient) -> None:
    answer = await load(api, as_ndjson([row_of(number, email="nobody") for number in range(2_500)]), **LENIENT)

    assert counts(answer) == (2_500, 0, 0, 0, 2_500)
    assert [row for row, *_ in reasons(answer)] == list(range(1, LISTED_MISTAKES + 1))


async def test_rows_may_bring_their_own_id(api: httpx.AsyncClient) -> None:
    body = as_ndjson([row_of(1, id=MINE), row_of(2)])

    assert counts(await load(api, body)) == (2, 2, 0, 0, 0)
    assert counts(await load(api, body)) == (2, 0, 0, 2, 0)
    assert (await api.get(f"/passengers/{MINE}")).json()["document_number"] == "PAB000001"


async def test_ids_that_cannot_be_are_bad_rows(api: httpx.AsyncClient, store: PostgresStore) -> None:
    await load(api, as_ndjson([row_of(1, id=MINE), row_of(2, id=THEIRS)]))
    assert (await api.delete(f"/passengers/{THEIRS}")).status_code == 204

    rows = [
        row_of(3, id=MINE),
        row_of(1, id=MINE[:-2] + "77"),
        row_of(2, id=THEIRS),
        row_of(4, id=MINE[:-2] + "88"),
        row_of(5, id=MINE[:-2] + "88"),
    ]
    answer = await load(api, as_csv(rows, ["id", *COLUMNS]), CSV, **LENIENT)

    assert reasons(answer) == [
        (1, "id", "This id is that of a passenger with another document"),
        (
            2,
            "document_number",
            f"This document is that of the passenger with the id {MINE}: send it with that id, or without any",
        ),
        (3, "id", "This id is that of a passenger who was deleted"),
        (5, "id", "The same id is in row 4 of this load already"),
    ]
    assert counts(answer) == (5, 1, 0, 0, 4)
    assert len(await stored(store)) == 3


async def test_the_document_of_a_deleted_passenger_is_free(api: httpx.AsyncClient, store: PostgresStore) -> None:
    await load(api, as_ndjson([row_of(1, id=MINE)]))
    await api.delete(f"/passengers/{MINE}")

    assert counts(await load(api, as_ndjson([row_of(1)]))) == (1, 1, 0, 0, 0)
    assert len(await stored(store)) == 2


async def test_a_connection_that_ends_half_way_stores_nothing(
    app: FastAPI, api: httpx.AsyncClient, store: PostgresStore
) -> None:
    body = as_ndjson([row_of(number) for number in range(4_000)])
    half = body[: body.index(b"\n", len(body) // 2) + 1]
    messages: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": half, "more_body": True},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [
        (b"content-type", NDJSON.encode()),
        *((name.lower().encode(), value.encode()) for name, value in LENIENT.items()),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/passengers/bulk",
        "headers": headers,
        "query_string": b"",
        "server": ("api", 80),
        "client": ("me", 1),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
    }
    await app(scope, receive, send)

    assert sent[0]["status"] == 400
    assert b"Nothing of it was stored" in sent[1]["body"]
    assert (await stored(store), await events(store)) == ([], [])
    assert counts(await load(api, body)) == (4_000, 4_000, 0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (CSV, as_csv([row_of(1), row_of(2)])[:-20], "body-unfinished"),
        (NDJSON, as_ndjson([row_of(1), row_of(2)])[:-20], "body-unfinished"),
        (JSON, as_json([row_of(1), row_of(2)])[:-20], "malformed-request"),
        (CSV, as_csv([row_of(1)], COLUMNS[:-1], extrasaction="ignore"), "bad-header-line"),
    ],
    ids=["csv", "ndjson", "json", "missing column"],
)
async def test_half_a_body_is_refused_even_if_it_was_framed(
    api: httpx.AsyncClient, store: PostgresStore, kind: str, body: bytes, code: str
) -> None:
    answer = await load(api, body, kind, **LENIENT)

    assert (answer.status_code, answer.json()["type"]) == (400, f"urn:problem-type:{code}")
    assert await stored(store) == []


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("text/plain", b"x", 415, "unknown-format"),
        (NDJSON, b"", 422, "no-rows"),
        (JSON, b"[]", 422, "no-rows"),
        (CSV, as_csv([]), 422, "no-rows"),
        (CSV, b"", 422, "no-rows"),
        (NDJSON, as_ndjson([row_of(1)]) * (MAX_ROWS + 1), 413, "too-many-rows"),
        (JSON, as_json([row_of(1)] * 10_000), 413, "body-too-large"),
    ],
)
async def test_what_is_no_load_is_refused(
    api: httpx.AsyncClient, kind: str, body: bytes, status: int, code: str
) -> None:
    answer = await load(api, body, kind, **LENIENT)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:problem-type:{code}")


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


async def test_the_list_has_a_new_tag_when_a_load_has_changed_something(api: httpx.AsyncClient) -> None:
    body = as_ndjson([row_of(number) for number in range(50)])
    empty = await api.get("/passengers")
    await load(api, body)
    full = await api.get("/passengers")
    await load(api, body)

    assert full.headers["ETag"] != empty.headers["ETag"]
    known = await api.get("/passengers", headers={"If-None-Match": full.headers["ETag"]})
    assert known.status_code == 304


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
