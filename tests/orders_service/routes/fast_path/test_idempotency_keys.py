"""An `Idempotency-Key` is one key, whichever way it comes."""

import httpx
import pytest

from tests.orders_service.conftest import Stored
from tests.orders_service.routes.fast_path.conftest import LANE, ORDINARY, PLAIN, ROUTE, both_ways, likeness
from tests.orders_service.routes.fast_path.order_bodies import order_of, priced


class TestIdempotencyKeys:
    @pytest.mark.parametrize(("first", "then"), [(PLAIN, ORDINARY), (ORDINARY, PLAIN), (PLAIN, PLAIN)])
    @pytest.mark.parametrize(("key", "same"), [("k-1", "k-1"), ("k-1", '"k-1"'), (r'"a\"b"', 'a"b')])
    async def test_are_known_again_either_way(
        self,
        api: httpx.AsyncClient,
        stored: Stored,
        *,
        first: dict[str, str],
        then: dict[str, str],
        key: str,
        same: str,
    ) -> None:
        body = priced("0.10")
        placed = await api.post("/orders", content=body, headers={**first, "Idempotency-Key": key})

        again = await api.post("/orders", content=priced('"0.1"'), headers={**then, "Idempotency-Key": same})

        assert placed.status_code == 201
        assert likeness(again)[:3] == likeness(placed)[:3]
        assert again.content == placed.content
        assert again.headers["Location"] == placed.headers["Location"]
        assert (placed.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
        assert [answer.headers["X-Endpoint"] for answer in (placed, again)] == [
            LANE if headers is PLAIN else ROUTE for headers in (first, then)
        ]
        assert await stored.count_documents({}) == 1

    async def test_belong_to_one_body_either_way(self, api: httpx.AsyncClient) -> None:
        await api.post("/orders", content=order_of(), headers={**PLAIN, "Idempotency-Key": "k-1"})

        by_lane, by_route = await both_ways(api, order_of(more=',"notes":"Ring twice"'), key="k-1")

        assert (by_lane.headers["X-Endpoint"], by_route.headers["X-Endpoint"]) == (LANE, ROUTE)
        assert (by_lane.status_code, by_lane.json()["type"]) == (422, "urn:problem-type:idempotency-key-reused")
        assert likeness(by_lane) == likeness(by_route)

    @pytest.mark.parametrize("key", ["", '""', '"open', "a" * 256, '"k";p=1', "a\tb", " a", "ñ"])
    async def test_are_refused_either_way_if_they_are_none(self, api: httpx.AsyncClient, key: str) -> None:
        by_lane, by_route = await both_ways(api, order_of(), key)

        assert (by_lane.status_code, by_lane.json()["errors"][0]["field"]) == (422, "header.Idempotency-Key")
        assert likeness(by_lane) == likeness(by_route)
