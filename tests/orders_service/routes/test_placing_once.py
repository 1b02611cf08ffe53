"""`POST /orders` with an `Idempotency-Key`: one order, however often and whenever it is sent."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.orders_service.conftest import OrdersQueue, Stored, code_of, place


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

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.Idempotency-Key")

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
