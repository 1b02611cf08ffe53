from typing import Any

import httpx
import pytest

from dev_stack.servers.postgres import Postgres
from passengers_service.config.settings import PassengersSettings
from passengers_service.main import build
from tests.passengers_service.conftest import NOBODY, calling, code_of, settings_for
from tests.support.api_client import is_ready
from tests.support.rabbit_support import until

UNREACHABLE = settings_for("postgresql://127.0.0.1:9")
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


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("POST /passengers", "200 201 400 409 413 415 422 503"),
        ("GET /passengers", "200 304 400 422 503"),
        ("GET /passengers/{passenger_id}", "200 304 404 422 503"),
        ("PUT /passengers/{passenger_id}", "200 400 404 409 412 413 415 422 503"),
        ("PATCH /passengers/{passenger_id}", "200 400 404 409 412 413 415 422 503"),
        ("DELETE /passengers/{passenger_id}", "204 404 412 422 503"),
        ("GET /sync/digest", "200 503"),
    ],
)
def test_documents_every_status(document: JsonObject, operation: str, statuses: str) -> None:
    assert list(operations(document)[operation]["responses"]) == statuses.split()


def test_says_of_each_operation_what_it_does(document: JsonObject) -> None:
    assert [
        name for name, one in operations(document).items() if not (one.get("summary") and one.get("description"))
    ] == []


async def test_takes_the_examples_of_the_documentation_unchanged(postgres: Postgres, document: JsonObject) -> None:
    schemas = document["components"]["schemas"]
    async with calling(settings_for(postgres.url)) as api:
        await until(lambda: is_ready(api))
        registered = await api.post("/passengers", json=schemas["NewPassenger"]["examples"][0])
        replaced = await api.put(registered.headers["location"], json=schemas["PassengerEdit"]["examples"][0])

    example = schemas["PassengerView"]["examples"][0]
    assert (registered.status_code, replaced.status_code) == (201, 200)
    assert registered.json() == example | {name: registered.json()[name] for name in ("created_at", "updated_at")}
    assert replaced.json() == registered.json()


async def test_wants_a_key_for_passengers_but_not_for_its_health(postgres: Postgres) -> None:
    open_settings = settings_for(postgres.url)
    settings = PassengersSettings.model_validate({**open_settings.model_dump(), "api_key": "one,two"})
    async with calling(settings) as api:
        await until(lambda: is_ready(api))
        answers: list[httpx.Response] = [
            await api.get("/passengers"),
            await api.get("/sync/digest"),
            await api.get("/passengers", headers={"X-API-Key": "two"}),
            await api.post("/passengers", json={}),
        ]

    assert [answer.status_code for answer in answers] == [401, 401, 200, 401]


async def test_works_without_the_broker_and_says_so(api: httpx.AsyncClient) -> None:
    health = (await api.get("/health/ready")).json()

    assert (health["status"], health["checks"]["postgres"]) == ("degraded", "ok")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/passengers", "GET, HEAD, OPTIONS, POST"),
        ("/passengers/", "GET, HEAD, OPTIONS, POST"),
        (f"/passengers/{NOBODY}", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
    ],
)
async def test_names_the_methods_that_a_path_takes(path: str, allowed: str) -> None:
    async with calling(UNREACHABLE) as api:
        answer = await api.request("TRACE", path)

    assert (answer.status_code, answer.headers["allow"], code_of(answer)) == (405, allowed, "method-not-allowed")
