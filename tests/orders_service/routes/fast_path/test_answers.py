"""Whatever `POST /orders` is sent, the fast path and FastAPI's route answer the same."""

import httpx
import pytest

from tests.orders_service.conftest import Stored
from tests.orders_service.routes.fast_path.conftest import LANE, ROUTE, both_ways, likeness
from tests.orders_service.routes.fast_path.order_bodies import _NEW_ORDER, MISTAKES


def shown(value: object) -> str:
    return repr(value)[:100] if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("body", _NEW_ORDER, ids=shown)
async def test_places_the_same_order_either_way(api: httpx.AsyncClient, body: bytes) -> None:
    by_lane, by_route = await both_ways(api, body)

    assert (by_lane.status_code, by_lane.headers["X-Endpoint"], by_route.headers["X-Endpoint"]) == (201, LANE, ROUTE)
    assert likeness(by_lane) == likeness(by_route)


@pytest.mark.parametrize(("body", "status"), MISTAKES, ids=shown)
async def test_refuses_the_same_mistakes_either_way(
    api: httpx.AsyncClient, stored: Stored, body: bytes, status: int
) -> None:
    by_lane, by_route = await both_ways(api, body)

    assert by_lane.status_code == status
    assert likeness(by_lane) == likeness(by_route)
    assert await stored.count_documents({}) == 0
