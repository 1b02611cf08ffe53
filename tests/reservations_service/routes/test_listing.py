"""`GET /reservations` on a real PostgreSQL: its pages, its filters, and how the server finds them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import insert, text

from reservations_service.models.code import draw_code
from reservations_service.models.tables import RESERVATIONS
from reservations_service.services.listing import ReservationQuery, selection_of
from service_kit.fields.uuid7 import new_uuid7
from service_kit.pagination import encode_cursor
from service_kit.postgres.store import PostgresStore
from service_kit.testing.fakes import FakeClock
from tests.reservations_service.conftest import ANA, JsonObject, booked, edit, tell

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FAR = datetime(2099, 1, 1, tzinfo=UTC)


def row(passenger_id: UUID, created_at: datetime, **fields: object) -> JsonObject:
    """A confirmed one, in a seat of its own."""
    return {
        "id": new_uuid7(created_at),
        "code": draw_code(),
        "passenger_id": passenger_id,
        "flight_number": "IB3170",
        "origin": "MAD",
        "destination": "LIS",
        "departure_at": created_at + timedelta(days=30),
        "seat": "12C",
        "cabin": "economy",
        "status": "confirmed",
        "hold_expires_at": created_at + timedelta(minutes=15),
        "created_at": created_at,
        "updated_at": created_at,
        "version": 1,
        "fingerprint": b"",
    } | fields


async def store_rows(store: PostgresStore, rows: list[JsonObject]) -> None:
    async with store.transaction() as session:
        await session.execute(insert(RESERVATIONS), rows)


async def ids(api: httpx.AsyncClient, **query: object) -> list[UUID]:
    answer = await api.get("/reservations", params={name: str(value) for name, value in query.items()})
    return [UUID(item["id"]) for item in answer.json()["items"]]


async def test_is_empty_at_first(api: httpx.AsyncClient) -> None:
    answer = await api.get("/reservations")

    assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})
    assert "link" not in answer.headers


async def test_shows_each_once_the_newest_first_while_others_come(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore
) -> None:
    instants = [NOON + number // 3 * SECOND for number in range(25)]  # three of each instant
    rows = [row(ana, instant, flight_number=f"IB{number + 1}") for number, instant in enumerate(instants)]
    await store_rows(store, random.sample(rows, len(rows)))

    pages, path = [], "/reservations?limit=10"
    while path:
        answer = await api.get(path)
        pages.append([UUID(item["id"]) for item in answer.json()["items"]])
        path = answer.links["next"]["url"] if answer.json()["next_cursor"] else ""
        await booked(api, ana, seat=f"{len(pages)}A")

    newest_first = sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [one for page in pages for one in page] == [row["id"] for row in newest_first]


async def test_shows_up_to_1000_at_once(api: httpx.AsyncClient, ana: UUID, store: PostgresStore) -> None:
    await store_rows(store, [row(ana, NOON + number * SECOND) for number in range(1001)])

    answer = await api.get("/reservations?limit=1000")

    assert len(answer.json()["items"]) == 1000
    assert len((await api.get(answer.links["next"]["url"])).json()["items"]) == 1
    assert (await api.get("/reservations?limit=1001")).status_code == 422


async def test_keeps_its_filters_on_the_next_page(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> None:
    for seat, flight in (("1A", "IB1"), ("1B", "IB2"), ("1C", "IB1")):
        await booked(api, ana, seat=seat, flight_number=flight)
        clock.advance(SECOND)

    first = await api.get("/reservations?limit=1&flight_number=IB1")
    second = await api.get(first.links["next"]["url"])

    assert [answer.json()["items"][0]["seat"] for answer in (first, second)] == ["1C", "1A"]
    assert second.json()["next_cursor"] is None


async def test_all_filters_hold_together(api: httpx.AsyncClient, ana: UUID, store: PostgresStore) -> None:
    bea = new_uuid7(NOON)
    await tell(store, ANA, bea)
    mine, hers = await booked(api, ana, seat="1A"), await booked(api, bea, seat="1B")
    other = await booked(api, ana, seat="1C", flight_number="IB99", departure_at="2100-01-01T00:00:00Z")
    await edit(api, other, status="confirmed")
    names = {UUID(one["id"]): name for name, one in {"mine": mine, "hers": hers, "other": other}.items()}

    async def named(**query: object) -> str:
        return " ".join(sorted(names[one] for one in await ids(api, **query)))

    assert await named(passenger_id=ana) == "mine other"
    assert await named(flight_number="IB3170") == "hers mine"
    assert await named(status="confirmed") == "other"
    assert await named(code=hers["code"]) == "hers"
    assert await named(departure_from="2100-01-01T00:00:00Z") == "other"
    assert await named(departure_to="2100-01-01T01:00:00+01:00") == "hers mine"
    assert await named(passenger_id=ana, status="pending") == "mine"
    assert await named(passenger_id=uuid4()) == ""


async def test_a_hold_that_is_over_is_listed_as_expired_before_anybody_has_written_it_down(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore, clock: FakeClock
) -> None:
    def pending(number: int) -> JsonObject:
        return row(ana, clock.now + number * SECOND, status="pending", hold_expires_at=clock.now + 60 * SECOND)

    over = [pending(number) | {"flight_number": f"IB{number + 1}"} for number in range(10)]
    for one in over[::2]:
        one["status"] = "expired"
    lasting = pending(0) | {"hold_expires_at": clock.now + 61 * SECOND}
    await store_rows(store, [*over, lasting])
    clock.advance(60 * SECOND)

    pages, path = [], "/reservations?status=expired&limit=3"
    while path:
        answer = await api.get(path)
        pages += [(UUID(item["id"]), item["status"]) for item in answer.json()["items"]]
        path = answer.links["next"]["url"] if answer.json()["next_cursor"] else ""

    assert pages == [(one["id"], "expired") for one in reversed(over)]
    assert await ids(api, status="pending") == [lasting["id"]]


@pytest.mark.parametrize("cursor", ["", "abc", "ñ", encode_cursor("not-a-key"), "f" * 500, "313a" + "30" * 46 + "30"])
async def test_refuses_a_cursor_that_it_has_not_answered(api: httpx.AsyncClient, cursor: str) -> None:
    answer = await api.get("/reservations", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:bad-cursor")


@pytest.mark.parametrize("sign", "0123456789abcdef")
async def test_takes_every_cursor_that_the_documentation_shows(api: httpx.AsyncClient, sign: str) -> None:
    answer = await api.get("/reservations", params={"cursor": encode_cursor(sign * 46)})

    assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"])
async def test_takes_the_ends_of_time(api: httpx.AsyncClient, instant: str) -> None:
    for name in ("departure_from", "departure_to"):
        assert (await api.get("/reservations", params={name: instant})).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=x", "status=lost", "code=k7qx2m", "code=%00", "flight_number=3170", "passenger_id=7"),
        *("departure_from=now", "departure_to=1798108200"),
    ],
)
async def test_refuses_a_filter_that_cannot_be(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/reservations?{query}")

    field = query.split("=", maxsplit=1)[0]
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"query.{field}")


class TestPlans:
    """Every list is read from an index, as good as only what it answers."""

    @pytest.fixture(autouse=True)
    async def _many(self, store: PostgresStore) -> None:
        people = [new_uuid7(NOON) for _ in range(50)]
        await tell(store, ANA, *people)
        statuses = ["confirmed"] * 18 + ["cancelled", "expired", "pending"]
        await store_rows(
            store,
            [
                row(
                    people[number % 50],
                    NOON + number * SECOND,
                    flight_number=f"IB{number % 47 + 1}",
                    departure_at=NOON + timedelta(minutes=number),
                    status=statuses[number % 21],
                    hold_expires_at=FAR,
                )
                for number in range(3000)
            ],
        )
        async with store.engine.connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("ANALYZE"))
        self.someone = str(people[7])

    @pytest.mark.parametrize(
        ("query", "index"),
        [
            ({}, "reservations_newest"),
            ({"cursor": encode_cursor("00064408cf45a0" + "0" * 32)}, "reservations_newest"),
            ({"passenger_id": "someone"}, "reservations_of_passenger"),
            ({"flight_number": "IB7"}, "reservations_of_flight"),
            ({"status": "cancelled"}, "reservations_of_status"),
            ({"status": "expired"}, "reservations_overdue"),
            ({"code": "AAAAAA"}, "reservations_code_key"),
            (
                {"departure_from": "2026-11-21T00:00:00Z", "departure_to": "2026-11-21T00:20:00Z"},
                "reservations_of_departure",
            ),
        ],
        ids=str,
    )
    async def test_reads_little_more_than_it_answers(self, store: PostgresStore, query: JsonObject, index: str) -> None:
        asked = {name: self.someone if value == "someone" else value for name, value in query.items()}
        statement = selection_of(ReservationQuery.model_validate({"limit": 10, **asked}), now=FAR - SECOND)
        sql = statement.compile(store.engine.sync_engine, compile_kwargs={"literal_binds": True})

        async with store.engine.connect() as connection:
            explained = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
            [[plan]] = explained.scalars().all()

        scans = [node for node in nodes_of(plan["Plan"]) if "Relation Name" in node]
        assert index in {node.get("Index Name") for node in nodes_of(plan["Plan"])}
        assert "Seq Scan" not in {scan["Node Type"] for scan in scans}
        assert all(scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0) <= 21 for scan in scans)


def nodes_of(plan: JsonObject) -> Iterator[JsonObject]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)
