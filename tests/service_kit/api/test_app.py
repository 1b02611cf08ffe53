from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from service_kit.api.app import create_app
from service_kit.settings import ApiSettings
from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api

pytestmark = pytest.mark.usefixtures("clean_environment")


async def test_bears_the_name_of_its_service(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    assert (document["info"]["title"], document["info"]["description"]) == ("service", "Notes.")


async def test_carries_its_settings() -> None:
    settings = ApiSettings(port=8123)

    assert notes_api.build(settings).state.settings is settings


async def test_opens_before_the_first_request_and_closes_after_the_last() -> None:
    told: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        told.append("opened")
        yield
        told.append("closed")

    app = create_app(ApiSettings(), description="Notes.", routers=[], lifespan=lifespan)

    async with app.router.lifespan_context(app):
        told.append("serves")

    assert told == ["opened", "serves", "closed"]


async def test_redirects_nobody(make_client: ClientMaker) -> None:
    client = await make_client(notes_api.build())

    assert (await client.get("/notes/")).status_code == 404
