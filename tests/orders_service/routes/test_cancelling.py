"""`POST /orders/{id}/cancel`: how long it is possible, and many at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import msgspec
import pytest
from bson import ObjectId

from service_kit.clock import utc_now
from tests.orders_service.conftest import OrdersQueue, Stored, code_of, placed


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
