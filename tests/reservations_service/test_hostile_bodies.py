"""What no client of good will sends: never a 500, and always a sentence."""

import json
from uuid import UUID

import httpx
import pytest

from tests.reservations_service.conftest import RANDOM_ID, TRIP, booked, code_of

JSON = {"Content-Type": "application/json"}
MEGABYTE = 1_048_576


def with_seat(seat: str) -> bytes:
    """A body that differs from a good one by what stands in the place of the seat, escaped as JSON has it."""
    body = json.dumps({"passenger_id": RANDOM_ID, **TRIP, "seat": "SEAT"})
    return body.replace("SEAT", seat).encode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid-request"),
        (b"null", 422, "invalid-request"),
        (b"[]", 422, "invalid-request"),
        (b'{"seat": "12C', 400, "malformed-request"),
        (b'{"seat": "\xff\xfe"}', 400, "malformed-request"),
        ('{"seat": "12C"}'.encode("utf-16"), 400, "malformed-request"),
        (with_seat(r"\ud800"), 400, "malformed-request"),
        (with_seat(r"\u0000"), 422, "invalid-request"),
        (with_seat(r"12C\u0000"), 422, "invalid-request"),
        (b'{"seat": ' + b"9" * 5000 + b"}", 400, "malformed-request"),
        (b"[" * 100_000, 400, "malformed-request"),
        (b'"' + b"a" * 10 * MEGABYTE + b'"', 413, "body-too-large"),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize(
    "path",
    [
        "POST /reservations",
        *("PUT /reservations/{id}", "PATCH /reservations/{id}"),
        *("PUT /passengers/{passenger_id}", "PATCH /passengers/{passenger_id}"),
    ],
)
async def test_refuses_a_body_with_a_sentence(
    api: httpx.AsyncClient, ana: UUID, path: str, body: bytes, status: int, code: str
) -> None:
    method, _, address = path.format(**await booked(api, ana)).partition(" ")

    answer = await api.request(method, address, content=body, headers=JSON)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/reservations", "GET, HEAD, OPTIONS, POST"),
        ("/reservations/", "GET, HEAD, OPTIONS, POST"),
        (f"/reservations/{RANDOM_ID}", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        (f"/passengers/{RANDOM_ID}", "GET, HEAD, OPTIONS, PATCH, PUT"),
        ("/sync/digest", "GET, HEAD, OPTIONS"),
    ],
)
async def test_names_the_methods_that_a_path_takes(api: httpx.AsyncClient, path: str, allowed: str) -> None:
    answer = await api.request("TRACE", path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/reservations/x", "/reservations/%00", "/reservations/%ff", "/passengers/7"])
async def test_refuses_an_id_that_is_none(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")


async def test_takes_headers_that_are_no_tags(api: httpx.AsyncClient, ana: UUID) -> None:
    path = f"/reservations/{(await booked(api, ana))['id']}"
    huge = '"' + "9" * 4000 + '"'

    assert (await api.get(path, headers={"If-None-Match": huge})).status_code == 200
    assert (await api.delete(path, headers={"If-Match": huge})).status_code == 412
