"""`/passengers`: the copy, and what is told of a change that was made in it."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from sqlalchemy import select

from reservations_service.events import PASSENGER_CHANGED, SOURCE, PassengerFields, PassengersChanged
from reservations_service.models.tables import OUTBOX
from reservations_service.services.replica import PASSENGER_REPLICA
from service_kit.clock import utc_now
from service_kit.messaging.events import Event, decode_event, read_data
from service_kit.postgres.store import PostgresStore
from service_kit.replication.hybrid_clock import HybridClock, stamp_in, stamp_text
from service_kit.replication.rows import FieldChanges
from tests.reservations_service.conftest import RANDOM_ID, JsonObject, code_of, tell

EDIT = {
    "document_type": "passport",
    "document_number": "PAB123456",
    "first_name": "Ana María",
    "last_name": "Peña Ruiz",
    "email": "ana@example.com",
    "phone": "+34600123456",
    "birth_date": "1990-05-17",
    "nationality": "ES",
}


async def change(
    api: httpx.AsyncClient, passenger_id: UUID, headers: dict[str, str] | None = None, **changes: object
) -> httpx.Response:
    return await api.put(f"/passengers/{passenger_id}", json=EDIT | changes, headers=headers or {})


async def told(store: PostgresStore) -> list[Event]:
    async with store.transaction() as session:
        bodies = await session.scalars(select(OUTBOX.c.body).order_by(OUTBOX.c.position))
        return [decode_event(body) for body in bodies]


async def test_reads_a_passenger(api: httpx.AsyncClient, ana: UUID) -> None:
    answer = await api.get(f"/passengers/{ana}")

    passenger = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert passenger == EDIT | {
        "id": str(ana),
        "created_at": "2026-11-20T10:00:00Z",
        "updated_at": passenger["updated_at"],
    }
    assert (await api.get(f"/passengers/{ana}", headers={"If-None-Match": '"1"'})).status_code == 304


async def test_tells_what_was_changed_and_nothing_else(api: httpx.AsyncClient, ana: UUID, store: PostgresStore) -> None:
    async with store.transaction() as session:
        before = await PASSENGER_REPLICA.locked(session, ana)
    answer = await change(api, ana, email="ana.pena@example.org", phone=None)

    [event] = await told(store)
    [entry] = read_data(event, PassengersChanged).changes
    assert before is not None
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert (answer.json()["email"], answer.json()["phone"]) == ("ana.pena@example.org", None)
    assert (event.type, event.source, entry.id) == (PASSENGER_CHANGED, SOURCE, ana)
    assert msgspec.json.decode(event.data)["changes"][0]["fields"] == {"email": "ana.pena@example.org", "phone": None}
    assert stamp_in(entry.stamp) > max(before.stamps)
    assert stamp_in(entry.stamp) & 0xFF == 2


async def test_overrides_an_edit_whose_clock_was_an_hour_ahead_and_of_which_only_the_row_knows(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore
) -> None:
    ahead = HybridClock(1, lambda: utc_now() + timedelta(hours=1)).tick()
    edit = FieldChanges(ana, stamp_text(ahead), PassengerFields(email="ahead@example.org"))
    async with store.transaction() as session:
        await PASSENGER_REPLICA.merge(session, [edit], now=utc_now())

    assert (await change(api, ana, email="after@example.org")).json()["email"] == "after@example.org"
    assert (await api.get(f"/passengers/{ana}")).json()["email"] == "after@example.org"


async def test_the_same_again_is_no_change(api: httpx.AsyncClient, ana: UUID, store: PostgresStore) -> None:
    before = await api.get(f"/passengers/{ana}")

    answer = await change(api, ana)

    assert (answer.json(), answer.headers["etag"]) == (before.json(), before.headers["etag"])
    assert await told(store) == []


@pytest.mark.parametrize("changes", [{"document_number": "X1"}, {"document_type": "id_card"}])
async def test_leaves_the_document_to_its_owner(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore, changes: JsonObject
) -> None:
    answer = await change(api, ana, email="new@example.com", **changes)

    assert (answer.status_code, code_of(answer)) == (409, "document-fixed")
    assert "only be changed in passengers_service" in answer.json()["detail"]
    assert await told(store) == []


async def test_of_many_editors_of_one_version_one_wins(api: httpx.AsyncClient, ana: UUID, store: PostgresStore) -> None:
    answers = await asyncio.gather(
        *(change(api, ana, {"If-Match": '"1"'}, email=f"ana{number}@example.com") for number in range(20))
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 19}
    assert len(await told(store)) == 1


async def test_without_a_condition_all_editors_win_one_after_the_other(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore
) -> None:
    answers = await asyncio.gather(*(change(api, ana, email=f"ana{number}@example.com") for number in range(20)))

    stamps = [read_data(event, PassengersChanged).changes[0].stamp for event in await told(store)]
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.headers["etag"] for answer in answers) == sorted(f'"{number}"' for number in range(2, 22))
    assert stamps == sorted(set(stamps))


async def patch(api: httpx.AsyncClient, passenger_id: UUID, **changes: object) -> httpx.Response:
    return await api.patch(f"/passengers/{passenger_id}", json=changes)


async def test_a_patch_changes_and_tells_the_fields_given(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore
) -> None:
    answer = await patch(api, ana, email="ana.pena@example.org", phone=None, document_number="PAB123456")

    [event] = await told(store)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json() == (await api.get(f"/passengers/{ana}")).json()
    assert (answer.json()["email"], answer.json()["phone"], answer.json()["first_name"]) == (
        "ana.pena@example.org",
        None,
        "Ana María",
    )
    assert msgspec.json.decode(event.data)["changes"][0]["fields"] == {"email": "ana.pena@example.org", "phone": None}


@pytest.mark.parametrize("changes", [{}, {"phone": "+34600123456"}])
async def test_a_patch_of_nothing_new_is_no_change(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore, changes: JsonObject
) -> None:
    before = await api.get(f"/passengers/{ana}")

    answer = await patch(api, ana, **changes)

    assert (answer.json(), answer.headers["etag"]) == (before.json(), before.headers["etag"])
    assert await told(store) == []


async def test_a_patch_refuses_what_put_refuses(api: httpx.AsyncClient, ana: UUID, store: PostgresStore) -> None:
    stale = await api.patch(f"/passengers/{ana}", json={"phone": None}, headers={"If-Match": '"2"'})
    answers = [await patch(api, ana, document_number="X1"), await patch(api, ana, birth_date=None), stale]

    assert [(answer.status_code, code_of(answer)) for answer in answers] == [
        (409, "document-fixed"),
        (422, "invalid-request"),
        (412, "stale-edit"),
    ]
    assert await told(store) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
async def test_a_passenger_that_is_unknown_incomplete_or_deleted_is_not_there(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore, method: str
) -> None:
    incomplete = uuid4()
    await tell(store, PassengerFields(email="ana@example.org"), incomplete)
    await tell(store, PassengerFields(deleted_at=utc_now()), ana)

    body = None if method == "GET" else EDIT
    answers = [await api.request(method, f"/passengers/{one}", json=body) for one in (uuid4(), incomplete, ana)]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert [code_of(answer) for answer in answers] == ["passenger-not-found"] * 2 + ["passenger-deleted"]
    assert "was deleted" in answers[2].json()["detail"]
    assert await told(store) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("first_name", value) for value in ("", " ", "A\u0000", "A\n", None, "x" * 101)],
        *[("email", value) for value in ("ana", "ana@localhost", "a\u0000@example.com", 1)],
        *[("phone", value) for value in ("600123456", "+34 600", "+0", 34600123456)],
        *[("birth_date", value) for value in ("1899-12-31", "2999-01-01", "17/05/1990", 642902400, None)],
        *[("nationality", value) for value in ("ESP", "XX", "es", None)],
        *[("created_at", "2026-01-01T00:00:00Z"), ("deleted_at", None), ("id", RANDOM_ID)],
    ],
)
async def test_refuses_what_no_passenger_has(api: httpx.AsyncClient, ana: UUID, field: str, value: object) -> None:
    answer = await api.put(f"/passengers/{ana}", json=EDIT | {field: value})

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")


async def test_the_copy_needs_no_rule_to_be_read(api: httpx.AsyncClient, ana: UUID, store: PostgresStore) -> None:
    odd = PassengerFields(first_name="", email="no address", phone="112", nationality="??")
    await tell(store, odd, ana)

    assert (await api.get(f"/passengers/{ana}")).json()["nationality"] == "??"
