from typing import Any
from uuid import UUID

import httpx
import pytest

from reservations_service.config.settings import ReservationsSettings
from reservations_service.main import build
from service_kit.postgres.store import PostgresStore
from tests.reservations_service.conftest import calling, settings_for
from tests.support.api_client import is_ready
from tests.support.rabbit_support import until

JsonObject = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> JsonObject:
    """What `/docs` shows."""
    return build(settings_for("postgresql://nobody@127.0.0.1:9")).openapi()


def operations(document: JsonObject) -> dict[str, JsonObject]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("POST /reservations", "200 201 400 409 413 415 422 503"),
        ("GET /reservations", "200 400 422 503"),
        ("GET /reservations/{reservation_id}", "200 304 404 422 503"),
        ("PUT /reservations/{reservation_id}", "200 400 404 409 412 413 415 422 503"),
        ("PATCH /reservations/{reservation_id}", "200 400 404 409 412 413 415 422 503"),
        ("DELETE /reservations/{reservation_id}", "204 404 409 412 422 503"),
        ("GET /passengers/{passenger_id}", "200 304 404 422 503"),
        ("PUT /passengers/{passenger_id}", "200 400 404 409 412 413 415 422 503"),
        ("PATCH /passengers/{passenger_id}", "200 400 404 409 412 413 415 422 503"),
        ("GET /sync/digest", "200 503"),
    ],
)
def test_documents_every_status(document: JsonObject, operation: str, statuses: str) -> None:
    assert list(operations(document)[operation]["responses"]) == statuses.split()


def test_says_of_each_operation_what_it_does(document: JsonObject) -> None:
    described = [name for name, one in operations(document).items() if one.get("summary") and one.get("description")]

    assert len(described) == len(operations(document)) == 10


async def test_takes_the_examples_of_the_documentation_unchanged(
    api: httpx.AsyncClient, ana: UUID, document: JsonObject
) -> None:
    schemas = document["components"]["schemas"]
    new_reservation = schemas["NewReservation"]["examples"][0] | {"passenger_id": str(ana)}

    booked = await api.post("/reservations", json=new_reservation)
    changed = await api.put(booked.headers["location"], json=schemas["ReservationEdit"]["examples"][0])
    passenger = await api.put(f"/passengers/{ana}", json=schemas["PassengerEdit"]["examples"][0])

    assert (booked.status_code, changed.status_code, passenger.status_code) == (201, 200, 200)
    assert booked.json().keys() == schemas["ReservationView"]["examples"][0].keys()
    assert passenger.json().keys() == schemas["PassengerView"]["examples"][0].keys()


@pytest.mark.usefixtures("store")
async def test_wants_a_key_for_its_routes_but_not_for_its_health(settings: ReservationsSettings) -> None:
    with_key = ReservationsSettings.model_validate({**settings.model_dump(), "api_key": "one,two"})
    async with calling(with_key) as api:
        await until(lambda: is_ready(api))
        answers = [
            await api.get("/reservations"),
            await api.get("/reservations", headers={"X-API-Key": "three"}),
            await api.get("/reservations", headers={"X-API-Key": "two"}),
            await api.post("/reservations/", json={}),
            await api.get("/sync/digest"),
        ]

    assert [answer.status_code for answer in answers] == [401, 401, 200, 401, 401]


async def test_serves_without_a_broker_and_says_so(api: httpx.AsyncClient, store: PostgresStore) -> None:
    assert store is not None

    assert (await api.get("/health/ready")).json() == {
        "status": "degraded",
        "checks": {"postgres": "ok", "rabbitmq": "ConnectionError", "consumer": "ConnectionError", "sync": "ok"},
    }
