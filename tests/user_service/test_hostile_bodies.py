"""What no client of good will sends: never a 500, and always a sentence."""

import httpx
import pytest

from tests.user_service.conftest import code_of, registered

JSON = {"Content-Type": "application/json"}
MEGABYTE = 1_048_576


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid-request"),
        (b"null", 422, "invalid-request"),
        (b"[]", 422, "invalid-request"),
        (b'{"name": "Ana', 400, "malformed-request"),
        (b'{"name": "\xff\xfe"}', 400, "malformed-request"),
        ('{"name": "Ana"}'.encode("utf-16"), 400, "malformed-request"),
        (rb'{"name": "\ud800", "email": "ana@example.com", "password": "12345678"}', 400, "malformed-request"),
        (rb'{"name": "\u0000", "email": "ana@example.com", "password": "12345678"}', 422, "invalid-request"),
        (rb'{"name": "Ana", "email": "a\u0000@example.com", "password": "12345678"}', 422, "invalid-request"),
        (rb'{"name": "Ana", "email": "ana@example.com", "password": "\u00001234567"}', 422, "invalid-request"),
        (b'{"name": ' + b"9" * 5000 + b"}", 400, "malformed-request"),
        (b"[" * 100_000, 400, "malformed-request"),
        (b'"' + b"a" * 10 * MEGABYTE + b'"', 413, "body-too-large"),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_refuses_a_body_with_a_sentence(
    api: httpx.AsyncClient, method: str, body: bytes, status: int, code: str
) -> None:
    path = "/users/" if method == "POST" else f"/users/{(await registered(api))['id']}"

    answer = await api.request(method, path, content=body, headers=JSON)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert answer.json()["detail"].endswith((".", "/docs", "required")) or "First: " in answer.json()["detail"]


async def test_refuses_a_body_that_is_not_called_json(api: httpx.AsyncClient) -> None:
    answer = await api.post("/users/", content=b"name=Ana", headers={"Content-Type": "text/plain"})

    assert (answer.status_code, code_of(answer)) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/users", "GET, HEAD, OPTIONS, POST"),
        ("/users/", "GET, HEAD, OPTIONS, POST"),
        ("/users/x", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
    ],
)
async def test_names_the_methods_that_a_path_takes(api: httpx.AsyncClient, path: str, allowed: str) -> None:
    answer = await api.request("TRACE", path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
