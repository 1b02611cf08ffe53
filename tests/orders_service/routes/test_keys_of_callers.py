"""An `Idempotency-Key` belongs to the API key that it came with, whichever way a request goes."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from orders_service.config.settings import OrdersSettings
from orders_service.models.order import FORMER_IDEMPOTENCY_INDEX
from tests.orders_service.conftest import WISH, JsonObject, Stored, code_of
from tests.orders_service.test_init_db import run


@pytest.fixture
def settings(settings: OrdersSettings) -> OrdersSettings:
    return OrdersSettings.model_validate({**settings.model_dump(), "api_key": "ana's key, bob's ñ key"})


ANA, BOB = "ana's key", "bob's ñ key"


@pytest.fixture(params=["/orders", "/orders/"], ids=["lane", "route"])
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def place(api: httpx.AsyncClient, path: str, api_key: str, **changes: object) -> httpx.Response:
    return await api.post(path, json={**WISH, **changes}, headers=headers_of(api_key, "k-1"))


def headers_of(api_key: str, key: str) -> dict[bytes, bytes]:
    return {b"X-API-Key": api_key.encode(), b"Idempotency-Key": key.encode()}


async def test_one_key_of_two_callers_makes_two_orders(api: httpx.AsyncClient, stored: Stored, path: str) -> None:
    answers = [await place(api, path, api_key) for api_key in (ANA, BOB, ANA, BOB)]

    ids = [answer.json()["id"] for answer in answers]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]
    assert ["idempotent-replayed" in answer.headers for answer in answers] == [False, False, True, True]
    assert await stored.count_documents({}) == 2


async def test_another_callers_body_is_no_conflict(api: httpx.AsyncClient, path: str) -> None:
    await place(api, path, ANA)

    assert (await place(api, path, BOB, currency="USD")).status_code == 201
    assert code_of(await place(api, path, ANA, currency="USD")) == "idempotency-key-reused"


async def test_a_key_is_known_again_whichever_way_it_comes(api: httpx.AsyncClient) -> None:
    by_lane, by_route = await place(api, "/orders", BOB), await place(api, "/orders/", BOB)

    assert by_route.content == by_lane.content


async def test_200_posts_of_two_callers_at_once_make_two_orders(
    api: httpx.AsyncClient, stored: Stored, path: str
) -> None:
    answers = await asyncio.gather(*(place(api, path, api_key) for api_key in [ANA, BOB] * 100))

    assert {answer.status_code for answer in answers} == {201}
    assert await stored.count_documents({}) == 2


async def test_nobodys_api_key_is_stored(api: httpx.AsyncClient, stored: Stored, path: str) -> None:
    await place(api, path, ANA)

    document = await stored.find_one({})
    assert document
    assert set(document["idempotency"]) == {"key", "caller", "fingerprint"}
    assert len(document["idempotency"]["caller"]) == 32
    assert ANA not in str(document)


@pytest.fixture
async def earlier(api: httpx.AsyncClient, stored: Stored) -> AsyncIterator[JsonObject]:
    """An order that an earlier version has stored, with the index of that version."""
    order: JsonObject = (await place(api, "/orders", ANA)).json()
    await stored.update_one({}, {"$unset": {"idempotency.caller": ""}})
    await stored.create_index("idempotency.key", name=FORMER_IDEMPOTENCY_INDEX, unique=True, sparse=True)
    yield order
    if FORMER_IDEMPOTENCY_INDEX in await stored.index_information():
        await stored.drop_index(FORMER_IDEMPOTENCY_INDEX)


async def test_a_retry_finds_an_order_from_before_the_update(
    api: httpx.AsyncClient, stored: Stored, earlier: JsonObject, path: str
) -> None:
    for api_key in (ANA, BOB):
        assert (await place(api, path, api_key)).json() == earlier
        assert code_of(await place(api, path, api_key, currency="USD")) == "idempotency-key-reused"
    assert await stored.count_documents({}) == 1


async def test_during_an_update_a_key_that_another_caller_has_used_is_refused_and_tells_nothing(
    api: httpx.AsyncClient, stored: Stored, earlier: JsonObject, path: str
) -> None:
    assert earlier
    await api.post(path, json=WISH, headers=headers_of(ANA, "k-2"))

    answer = await api.post(path, json=WISH, headers=headers_of(BOB, "k-2"))

    assert (answer.status_code, code_of(answer)) == (422, "idempotency-key-reused")
    assert await stored.count_documents({}) == 2


async def test_the_former_index_is_no_drift_and_is_dropped_when_it_is_told_so(
    api: httpx.AsyncClient, stored: Stored, earlier: JsonObject, settings: OrdersSettings
) -> None:
    assert earlier
    reported = run(settings)
    assert (reported.returncode, "orders.idempotency_key: of an earlier version." in reported.stdout) == (0, True)
    assert FORMER_IDEMPOTENCY_INDEX in await stored.index_information()

    assert [run(settings, "drop-former").returncode for _ in range(2)] == [0, 0]

    assert FORMER_IDEMPOTENCY_INDEX not in await stored.index_information()
    assert (await place(api, "/orders", BOB)).status_code == 201
    assert await stored.count_documents({}) == 2
