import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from bson import Decimal128, ObjectId

from orders_service.config.settings import OrdersSettings
from service_kit.clock import utc_now
from tests.orders_service.conftest import OrdersQueue, Stored

JsonObject = dict[str, Any]

MUG: JsonObject = {"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": "19.99"}
WISH: JsonObject = {"items": [MUG], "currency": "EUR"}
UNKNOWN_ID = "665f1c2ab1e4d3a7c9f0e812"


async def place(api: httpx.AsyncClient, *, key: str | None = None, **changes: object) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await api.post("/orders", json={**WISH, **changes}, headers=headers)


async def placed(api: httpx.AsyncClient, **changes: object) -> JsonObject:
    order: JsonObject = (await place(api, key=None, **changes)).json()
    return order


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix("urn:problem-type:")


class TestPlacing:
    async def test_answers_the_order_and_where_it_is(self, api: httpx.AsyncClient) -> None:
        answer = await place(api, user_id="ada", notes="Ring twice")

        order = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/orders/{order['id']}"
        assert "idempotent-replayed" not in answer.headers
        assert list(order) == [
            *("id", "status", "user_id", "items", "currency", "notes", "total", "created_at", "cancelled_at")
        ]
        assert (order["status"], order["total"], order["cancelled_at"]) == ("placed", "59.97", None)

    async def test_is_read_again_as_it_was_answered(self, api: httpx.AsyncClient) -> None:
        answer = await place(api, user_id="ada", notes="ñ 😀")

        assert (await api.get(answer.headers["location"])).content == answer.content

    async def test_stores_amounts_as_decimals(self, api: httpx.AsyncClient, stored: Stored) -> None:
        order = await placed(api)

        document = await stored.find_one({"_id": ObjectId(order["id"])})

        assert document is not None
        assert (document["total"], document["items"][0]["unit_price"]) == (Decimal128("59.97"), Decimal128("19.99"))

    async def test_publishes_that_it_was_placed(self, api: httpx.AsyncClient, queue: OrdersQueue) -> None:
        order = await placed(api, user_id="ada")

        event = await queue.next()

        assert event.type == "order.created"
        assert msgspec.json.decode(event.data) == {
            "order_id": order["id"],
            "user_id": "ada",
            "total": "59.97",
            "currency": "EUR",
            "created_at": order["created_at"],
        }

    async def test_forgets_an_event_that_the_broker_has(
        self, api: httpx.AsyncClient, all_sent: Callable[[], Awaitable[None]], queue: OrdersQueue
    ) -> None:
        await placed(api)
        await all_sent()

        assert await queue.count() == 1

    @pytest.mark.parametrize(
        ("quantity", "unit_price", "total"), [(3, 0.1, "0.30"), (100, 19.99, "1999.00"), (3, "0.10", "0.30")]
    )
    async def test_takes_amounts_as_numbers_and_as_strings(
        self, api: httpx.AsyncClient, quantity: int, unit_price: object, total: str
    ) -> None:
        order = await placed(api, items=[{**MUG, "quantity": quantity, "unit_price": unit_price}])

        assert order["total"] == total

    @pytest.mark.parametrize("amount", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"true", b"-1", b"0.001", b"null"])
    async def test_refuses_what_is_no_amount(self, api: httpx.AsyncClient, stored: Stored, amount: bytes) -> None:
        body = b'{"currency":"EUR","items":[{"sku":"a","name":"A","quantity":1,"unit_price":%s}]}' % amount

        answer = await api.post("/orders", content=body, headers={"Content-Type": "application/json"})

        assert (answer.status_code, code_of(answer)) == (422, "invalid-request")
        assert answer.json()["errors"][0]["field"] == "body.items.0.unit_price"
        assert await stored.count_documents({}) == 0

    async def test_names_every_field_that_is_wrong(self, api: httpx.AsyncClient) -> None:
        answer = await place(api, currency="eur", items=[{**MUG, "quantity": "3"}], notes="a\0b")

        assert [error["field"] for error in answer.json()["errors"]] == [
            "body.items.0.quantity",
            "body.currency",
            "body.notes",
        ]


class TestPlacingOnce:
    async def test_answers_the_first_order_again(self, api: httpx.AsyncClient, stored: Stored) -> None:
        first = await place(api, key="k-1")

        again = await place(api, key="k-1")

        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["location"] == first.headers["location"]
        assert await stored.count_documents({}) == 1

    async def test_answers_it_as_it_was_although_it_has_been_cancelled(self, api: httpx.AsyncClient) -> None:
        first = await place(api, key="k-1")
        await api.post(f"{first.headers['location']}/cancel")

        assert (await place(api, key="k-1")).content == first.content

    @pytest.mark.parametrize("again", ['"k-1"', "k-1"])
    async def test_knows_a_key_quoted_or_bare(self, api: httpx.AsyncClient, again: str) -> None:
        first = await place(api, key="k-1")

        assert (await place(api, key=again)).content == first.content

    async def test_refuses_a_key_with_another_body(self, api: httpx.AsyncClient, stored: Stored) -> None:
        await place(api, key="k-1")

        answer = await place(api, key="k-1", currency="USD")

        assert (answer.status_code, code_of(answer)) == (422, "idempotency-key-reused")
        assert await stored.count_documents({}) == 1

    @pytest.mark.parametrize("key", ['""', '"open', "a" * 256, '"k";p=1'])
    async def test_refuses_a_key_that_is_none(self, api: httpx.AsyncClient, key: str) -> None:
        answer = await place(api, key=key)

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.idempotency-key")

    async def test_makes_two_orders_of_the_same_body_with_two_keys(
        self, api: httpx.AsyncClient, stored: Stored
    ) -> None:
        await place(api, key="k-1")
        await place(api, key="k-2")
        await place(api)
        await place(api)

        assert await stored.count_documents({}) == 4

    async def test_makes_one_order_and_one_event_of_200_posts_at_once(
        self,
        api: httpx.AsyncClient,
        stored: Stored,
        queue: OrdersQueue,
        all_sent: Callable[[], Awaitable[None]],
    ) -> None:
        answers = await asyncio.gather(*(place(api, key="k-1") for _ in range(200)))
        await all_sent()

        assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
        assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
        assert (await stored.count_documents({}), await queue.count()) == (1, 1)

    async def test_lets_one_of_two_bodies_win_that_come_at_once(self, api: httpx.AsyncClient, stored: Stored) -> None:
        posts = (place(api, key="k-1", currency=currency) for currency in ["EUR", "USD"] * 20)

        answers = await asyncio.gather(*posts)

        assert sorted(answer.status_code for answer in answers) == [201] * 20 + [422] * 20
        assert await stored.count_documents({}) == 1


class TestReading:
    @pytest.mark.parametrize(
        "order_id", [UNKNOWN_ID, "1", "not-an-id", "%00", "%FF", "66%205f1c2ab1e4d3a7c9f0e812", "ñ" * 24, "0" * 500]
    )
    async def test_knows_no_order_of_another_id(self, api: httpx.AsyncClient, order_id: str) -> None:
        for answer in (await api.get(f"/orders/{order_id}"), await api.post(f"/orders/{order_id}/cancel")):
            assert (answer.status_code, code_of(answer)) == (404, "order-not-found")

    async def test_shows_what_is_stored_although_it_breaks_todays_rules(
        self, api: httpx.AsyncClient, stored: Stored
    ) -> None:
        order = await placed(api)
        older = {"items.0.sku": "with blanks", "items.0.quantity": 0, "currency": "FRF", "gone": "field"}
        await stored.update_one({"_id": ObjectId(order["id"])}, {"$set": older})

        answer = await api.get(f"/orders/{order['id']}")

        assert (answer.status_code, answer.json()["currency"]) == (200, "FRF")


class TestCancelling:
    async def test_answers_the_cancelled_order(self, api: httpx.AsyncClient) -> None:
        order = await placed(api)

        answer = await api.post(f"/orders/{order['id']}/cancel")

        cancelled = answer.json()
        assert answer.status_code == 200
        assert cancelled["cancelled_at"] >= order["created_at"]
        assert cancelled == {**order, "status": "cancelled", "cancelled_at": cancelled["cancelled_at"]}
        assert (await api.get(f"/orders/{order['id']}")).json() == cancelled

    async def test_publishes_the_cancellation_after_the_order(self, api: httpx.AsyncClient, queue: OrdersQueue) -> None:
        order = await placed(api)
        cancelled = (await api.post(f"/orders/{order['id'].upper()}/cancel")).json()

        events = [await queue.next(), await queue.next()]

        assert [event.type for event in events] == ["order.created", "order.cancelled"]
        assert msgspec.json.decode(events[1].data) == {
            "order_id": order["id"],
            "cancelled_at": cancelled["cancelled_at"],
        }

    async def test_is_harmless_when_done_again_and_at_once(
        self,
        api: httpx.AsyncClient,
        queue: OrdersQueue,
        all_sent: Callable[[], Awaitable[None]],
    ) -> None:
        order = await placed(api)
        first = await api.post(f"/orders/{order['id']}/cancel")

        others = await asyncio.gather(*(api.post(f"/orders/{order['id']}/cancel") for _ in range(20)))
        await all_sent()

        assert {(answer.status_code, answer.content) for answer in others} == {(200, first.content)}
        assert await queue.count() == 2

    async def test_lets_one_of_many_at_once_do_it(
        self,
        api: httpx.AsyncClient,
        queue: OrdersQueue,
        all_sent: Callable[[], Awaitable[None]],
    ) -> None:
        order = await placed(api)

        answers = await asyncio.gather(*(api.post(f"/orders/{order['id']}/cancel") for _ in range(20)))
        await all_sent()

        assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
        assert await queue.count() == 2

    @pytest.mark.parametrize(("age", "status"), [(timedelta(minutes=29), 200), (timedelta(minutes=31), 409)])
    async def test_is_possible_for_half_an_hour(
        self, api: httpx.AsyncClient, stored: Stored, age: timedelta, status: int
    ) -> None:
        order = await placed(api)
        await stored.update_one({"_id": ObjectId(order["id"])}, {"$set": {"created_at": utc_now() - age}})

        answer = await api.post(f"/orders/{order['id']}/cancel")

        assert answer.status_code == status
        assert status == 200 or code_of(answer) == "too-late-to-cancel"

    async def test_stays_cancelled_when_it_would_be_too_late(self, api: httpx.AsyncClient, stored: Stored) -> None:
        order = await placed(api)
        first = await api.post(f"/orders/{order['id']}/cancel")
        a_day_ago = utc_now() - timedelta(days=1)
        await stored.update_one({"_id": ObjectId(order["id"])}, {"$set": {"created_at": a_day_ago}})

        again = await api.post(f"/orders/{order['id']}/cancel")

        assert (again.status_code, again.json()["cancelled_at"]) == (200, first.json()["cancelled_at"])


class TestPaths:
    @pytest.mark.parametrize("path", ["/orders", "/orders/"])
    async def test_takes_the_collection_with_and_without_a_slash(self, api: httpx.AsyncClient, path: str) -> None:
        assert (await api.post(path, json=WISH)).status_code == 201
        assert len((await api.get(path)).json()["items"]) == 1

    async def test_names_the_methods_that_there_are(self, api: httpx.AsyncClient) -> None:
        answer = await api.delete("/orders")

        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


class TestKeys:
    @pytest.fixture
    def settings(self, settings: OrdersSettings) -> OrdersSettings:
        return OrdersSettings.model_validate({**settings.model_dump(), "api_key": "first, second"})

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/orders"), ("POST", "/orders"), ("GET", "/orders/1"), ("POST", "/orders/1/cancel")],
    )
    async def test_lets_nobody_do_anything_without_one(self, api: httpx.AsyncClient, method: str, path: str) -> None:
        assert (await api.request(method, path, json=WISH)).status_code == 401

    async def test_lets_in_who_has_any_of_them(self, api: httpx.AsyncClient) -> None:
        answer = await api.post("/orders", json=WISH, headers={"X-API-Key": "second"})

        assert answer.status_code == 201


class TestDocumentation:
    async def test_lists_what_every_operation_can_answer(self, api: httpx.AsyncClient) -> None:
        paths = (await api.get("/openapi.json")).json()["paths"]

        assert {
            f"{method} {path}": " ".join(op["responses"]) for path in paths for method, op in paths[path].items()
        } == {
            "post /orders": "201 400 413 415 422 503",
            "get /orders": "200 400 422 503",
            "get /orders/{order_id}": "200 404 422 503",
            "post /orders/{order_id}/cancel": "200 404 409 422 503",
        }

    async def test_lists_the_headers_of_the_answers(self, api: httpx.AsyncClient) -> None:
        operations = (await api.get("/openapi.json")).json()["paths"]["/orders"]

        assert list(operations["post"]["responses"]["201"]["headers"]) == ["Location", "Idempotent-Replayed"]
        assert list(operations["get"]["responses"]["200"]["headers"]) == ["Link"]

    async def test_has_an_example_that_works_as_it_is(self, api: httpx.AsyncClient) -> None:
        schemas = (await api.get("/openapi.json")).json()["components"]["schemas"]
        [wish], [order] = schemas["NewOrder"]["examples"], schemas["OrderView"]["examples"]

        answered = (await api.post("/orders", json=wish)).json()

        nulls = {"cancelled_at": None}  # which FastAPI leaves out of examples
        assert answered == {**order, **nulls, "id": answered["id"], "created_at": answered["created_at"]}
