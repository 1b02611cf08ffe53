from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter

from service_kit.api.app import create_app
from service_kit.api.dependencies import provided
from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api
from tests.support.notes_api import NotesSettings
from tests.support.resources import NotedResource

pytestmark = pytest.mark.usefixtures("clean_environment")


async def test_bears_the_name_of_its_service(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    assert (document["info"]["title"], document["info"]["description"]) == ("service", "Notes.")


async def test_carries_its_settings() -> None:
    settings = NotesSettings(port=8123)

    assert notes_api.build(settings).state.settings is settings


async def test_starts_its_resources_in_their_order_and_stops_them_in_the_reverse_one() -> None:
    notes: list[str] = []
    resources = [NotedResource("store", notes), NotedResource("relay", notes)]
    app = create_app(NotesSettings(), description="Notes.", routers=[], resources=resources)

    async with app.router.lifespan_context(app):
        notes.append("serves")

    assert notes == ["store starts", "relay starts", "serves", "relay stops", "store stops"]


async def test_gives_a_route_the_service_of_the_class_that_it_asks_for(make_client: ClientMaker) -> None:
    class Greeter:
        greeting = "hello"

    class FriendlyGreeter(Greeter):
        greeting = "good morning"

    router = APIRouter()

    @router.get("/greeting")
    async def greet(greeter: Annotated[Greeter, provided(Greeter)]) -> str:
        return greeter.greeting

    app = create_app(NotesSettings(), description="Notes.", routers=[router], services=[FriendlyGreeter()])
    client = await make_client(app)

    assert (await client.get("/greeting")).json() == "good morning"


async def test_redirects_nobody(make_client: ClientMaker) -> None:
    client = await make_client(notes_api.build())

    assert (await client.get("/notes/")).status_code == 404
