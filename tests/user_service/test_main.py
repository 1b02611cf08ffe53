from typing import Any

import httpx
import pytest

from dev_stack.servers.mongod import Mongod
from tests.support.api_client import is_ready
from tests.support.rabbit_support import until
from tests.user_service.conftest import calling, settings_for
from user_service.config.settings import UserSettings
from user_service.main import build

UNREACHABLE = settings_for("mongodb://127.0.0.1:9")
JsonObject = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> JsonObject:
    """What `/docs` shows."""
    return build(UNREACHABLE).openapi()


def operations(document: JsonObject) -> dict[str, JsonObject]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_documents_six_operations(document: JsonObject) -> None:
    assert sorted(operations(document)) == [
        *("DELETE /users/{user_id}", "GET /users/", "GET /users/{user_id}"),
        *("PATCH /users/{user_id}", "POST /users/", "PUT /users/{user_id}"),
    ]


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("POST /users/", "201 400 409 413 415 422 503"),
        ("GET /users/", "200 400 422 503"),
        ("GET /users/{user_id}", "200 304 404 422 503"),
        ("PUT /users/{user_id}", "200 400 404 409 412 413 415 422 503"),
        ("PATCH /users/{user_id}", "200 400 404 409 412 413 415 422 503"),
        ("DELETE /users/{user_id}", "204 404 412 422 503"),
    ],
)
def test_documents_every_status(document: JsonObject, operation: str, statuses: str) -> None:
    assert list(operations(document)[operation]["responses"]) == statuses.split()


def test_says_of_each_operation_what_it_does(document: JsonObject) -> None:
    assert [
        name for name, one in operations(document).items() if not (one.get("summary") and one.get("description"))
    ] == []


async def test_takes_the_examples_of_the_documentation_unchanged(mongod: Mongod, document: JsonObject) -> None:
    schemas = document["components"]["schemas"]
    async with calling(settings_for(mongod.url)) as api:
        await until(lambda: is_ready(api))
        registered = await api.post("/users/", json=schemas["NewUser"]["examples"][0])
        changed = await api.put(registered.headers["location"], json=schemas["UserChanges"]["examples"][0])

    assert (registered.status_code, changed.status_code) == (201, 200)
    assert registered.json().keys() == schemas["UserView"]["examples"][0].keys()


async def test_wants_a_key_for_users_but_not_for_its_health(mongod: Mongod) -> None:
    open_settings = settings_for(mongod.url)
    settings = UserSettings.model_validate({**open_settings.model_dump(), "api_key": "one,two"})
    async with calling(settings) as api:
        await until(lambda: is_ready(api))
        answers: list[httpx.Response] = [
            await api.get("/users/"),
            await api.get("/users/", headers={"X-API-Key": "three"}),
            await api.get("/users/", headers={"X-API-Key": "two"}),
            await api.post("/users", json={}),
        ]

    assert [answer.status_code for answer in answers] == [401, 401, 200, 401]
