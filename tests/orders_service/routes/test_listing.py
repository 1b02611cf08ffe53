"""`GET /orders` on a real MongoDB: its pages, its filters, and how the server finds them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from bson import ObjectId

from orders_service.models.order import NewOrder, OrderStatus
from orders_service.services.listing import OrderQuery, conditions_of
from orders_service.services.new_order import as_document, new_order_id, placed_view
from service_kit.pagination import encode_cursor
from tests.orders_service.conftest import Stored

JsonObject = dict[str, Any]

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def order(placed_at: datetime, **fields: object) -> JsonObject:
    item = {"sku": "MUG-01", "name": "Coffee mug", "quantity": 1, "unit_price": "1.00"}
    new_order = NewOrder.model_validate({"items": [item], "currency": "EUR"})
    order_id = new_order_id(placed_at)
    return as_document(order_id, placed_view(order_id, new_order, placed_at)) | fields


async def ids(api: httpx.AsyncClient, **query: object) -> list[ObjectId]:
    answer = await api.get("/orders", params={name: str(value) for name, value in query.items()})
    return [ObjectId(item["id"]) for item in answer.json()["items"]]


async def test_is_empty_at_first(api: httpx.AsyncClient) -> None:
    answer = await api.get("/orders")

    assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})
    assert "link" not in answer.headers


async def test_shows_each_order_once_the_newest_first(api: httpx.AsyncClient, stored: Stored) -> None:
    orders = [order(NOON + timedelta(seconds=second)) for second in range(25)]
    await stored.insert_many(orders)

    pages, path = [], "/orders?limit=10"
    while path:
        answer = await api.get(path)
        pages.append([ObjectId(item["id"]) for item in answer.json()["items"]])
        path = answer.links["next"]["url"] if answer.json()["next_cursor"] else ""

    assert [len(page) for page in pages] == [10, 10, 5]
    assert [order_id for page in pages for order_id in page] == [document["_id"] for document in reversed(orders)]


async def test_neither_skips_nor_repeats_an_order_when_new_ones_come(api: httpx.AsyncClient, stored: Stored) -> None:
    orders = [order(NOON + timedelta(seconds=second)) for second in range(4)]
    await stored.insert_many(orders)
    first = (await api.get("/orders", params={"limit": 2})).json()

    await stored.insert_many([order(NOON + timedelta(minutes=1)) for _ in range(5)])
    second = await ids(api, limit=2, cursor=first["next_cursor"])

    assert second == [orders[1]["_id"], orders[0]["_id"]]


async def test_keeps_its_filters_on_the_next_page(api: httpx.AsyncClient, stored: Stored) -> None:
    orders = [order(NOON, user_id=name) for name in ("ada", "bob", "ada")]
    await stored.insert_many(orders)

    first = await api.get("/orders?limit=1&user_id=ada")
    second = await api.get(first.links["next"]["url"])

    assert [answer.json()["items"][0]["user_id"] for answer in (first, second)] == ["ada", "ada"]
    assert second.json()["next_cursor"] is None


async def test_filters_by_user_and_by_status(api: httpx.AsyncClient, stored: Stored) -> None:
    ada, bob = order(NOON, user_id="ada"), order(NOON, user_id="bob")
    gone = order(NOON, user_id="ada", status="cancelled")
    await stored.insert_many([ada, bob, gone])

    assert set(await ids(api, user_id="ada")) == {ada["_id"], gone["_id"]}
    assert await ids(api, status="cancelled") == [gone["_id"]]
    assert await ids(api, user_id="ada", status="placed") == [ada["_id"]]
    assert await ids(api, user_id="nobody") == []


async def test_takes_ranges_of_time_to_the_millisecond(api: httpx.AsyncClient, stored: Stored) -> None:
    early, noon, late = order(NOON - MILLISECOND), order(NOON), order(NOON + MILLISECOND)
    await stored.insert_many([early, noon, late])

    assert set(await ids(api, created_after=NOON.isoformat())) == {noon["_id"], late["_id"]}
    assert await ids(api, created_before=NOON.isoformat()) == [early["_id"]]
    assert await ids(api, created_after="2026-11-20T13:00:00+01:00", created_before="2026-11-20T12:00:00.001Z") == [
        noon["_id"]
    ]


async def test_finds_an_order_by_the_very_instant_that_it_answered(api: httpx.AsyncClient, stored: Stored) -> None:
    await stored.insert_one(order(NOON + 123 * MILLISECOND))
    answered = (await api.get("/orders")).json()["items"][0]["created_at"]

    assert len(await ids(api, created_after=answered)) == 1
    assert await ids(api, created_before=answered) == []


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"])
async def test_takes_the_ends_of_time(api: httpx.AsyncClient, instant: str) -> None:
    for name in ("created_after", "created_before"):
        assert (await api.get("/orders", params={name: instant})).status_code == 200


@pytest.mark.parametrize("cursor", ["", "abc", "ñ", encode_cursor("not-an-id"), "f" * 500])
async def test_refuses_a_cursor_that_it_has_not_answered(api: httpx.AsyncClient, cursor: str) -> None:
    answer = await api.get("/orders", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:bad-cursor")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "status=lost", "user_id=a b", "created_after=now"]
)
async def test_refuses_a_filter_that_cannot_be(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/orders?{query}")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (
        422,
        f"query.{query.split('=', maxsplit=1)[0]}",
    )


class TestPlans:
    """Every list is read from an index in its order: no scan of the collection, no sort in memory."""

    @pytest.fixture(autouse=True)
    async def _some_orders(self, api: httpx.AsyncClient, stored: Stored) -> None:
        assert api.base_url  # its start has made the indexes
        await stored.insert_many(
            order(
                NOON + timedelta(seconds=number),
                user_id=f"user-{number % 40}",
                status=OrderStatus.CANCELLED if number % 50 == 0 else OrderStatus.PLACED,
            )
            for number in range(2000)
        )

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"cursor": encode_cursor(str(new_order_id(NOON + timedelta(seconds=1000))))},
            {"user_id": "user-7"},
            {"user_id": "user-7", "cursor": encode_cursor(str(new_order_id(NOON + timedelta(seconds=1000))))},
            {"user_id": "user-7", "created_before": "2026-11-20T12:20:00Z"},
            {"status": "cancelled"},
            {"status": "placed", "created_after": "2026-11-20T12:10:00Z"},
            {"created_after": "2026-11-20T12:30:00Z"},
            {"created_before": "2026-11-20T12:01:00Z"},
            {"created_after": "2026-11-20T12:10:00Z", "created_before": "2026-11-20T12:11:00Z"},
        ],
    )
    async def test_reads_little_more_than_it_answers(self, stored: Stored, query: JsonObject) -> None:
        conditions = conditions_of(OrderQuery.model_validate(query))
        find = {
            "find": stored.name,
            "filter": {"$and": conditions} if conditions else {},
            "sort": {"_id": -1},
            "limit": 11,
        }

        explained = await stored.database.command("explain", find, verbosity="executionStats")

        stages = set(stages_of(explained["queryPlanner"]["winningPlan"]))
        executed = explained["executionStats"]
        assert "IXSCAN" in stages
        assert not stages & {"COLLSCAN", "SORT"}
        assert executed["nReturned"] == 11
        assert executed["totalDocsExamined"] <= 11 + 1  # one more where a range begins within a second


def stages_of(plan: JsonObject) -> Iterator[str]:
    yield plan["stage"]
    for inner in [plan.get("inputStage"), *plan.get("inputStages", ())]:
        if inner:
            yield from stages_of(inner)
