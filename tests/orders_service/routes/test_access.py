"""The paths and methods of `/orders`, and the API keys that open them."""

import httpx
import pytest

from orders_service.config.settings import OrdersSettings
from tests.orders_service.conftest import WISH


class TestPaths:
    @pytest.mark.parametrize("path", ["/orders", "/orders/"])
    async def test_takes_the_collection_with_and_without_a_slash(self, api: httpx.AsyncClient, path: str) -> None:
        assert (await api.post(path, json=WISH)).status_code == 201
        assert len((await api.get(path)).json()["items"]) == 1

    async def test_names_the_methods_that_there_are(self, api: httpx.AsyncClient) -> None:
        answer = await api.delete("/orders")

        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")


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
