"""`POST /orders`: what is answered, stored and published."""

from collections.abc import Awaitable, Callable

import httpx
import msgspec
import pytest
from bson import Decimal128, ObjectId

from tests.orders_service.conftest import MUG, OrdersQueue, Stored, code_of, place, placed


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
