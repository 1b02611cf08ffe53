"""`GET /orders/{id}`: ids that are none, and orders that break today's rules."""

import httpx
import pytest
from bson import ObjectId

from tests.orders_service.conftest import Stored, code_of, placed

UNKNOWN_ID = "665f1c2ab1e4d3a7c9f0e812"


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
