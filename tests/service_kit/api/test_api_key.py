import httpx
import pytest
from fastapi import APIRouter

from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api
from tests.support.notes_api import NotesSettings

other = APIRouter(prefix="/others")
other.get("/count")(notes_api.count)
outer = APIRouter()
outer.include_router(other, prefix="/nested")
EVERY_ROUTE = [
    ("POST", "/notes"),
    ("GET", "/notes"),
    ("GET", "/notes/7"),
    ("PUT", "/notes/7"),
    ("GET", "/nested/others/count"),
]


@pytest.fixture
async def client(make_client: ClientMaker) -> httpx.AsyncClient:
    """A client of an API with two keys, one of them not ASCII."""
    settings = NotesSettings(api_key="new-key, ключ")
    return await make_client(notes_api.build(settings, routers=(notes_api.router, outer)))


@pytest.mark.parametrize("key", ["new-key", "ключ"])
async def test_lets_the_bearer_of_any_key_through(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.get("/notes/7", headers={b"X-API-Key": key.encode()})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "key",
    ["", "new-ke", "new-key2", "NEW-KEY", "new-key, ключ", "new-key,", "\x00", "ñ"],
)
async def test_stops_who_bears_another_key(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.get("/notes/7", headers={b"X-API-Key": key.encode()})

    assert answer.status_code == 401


@pytest.mark.parametrize("key", [b"\xff\xfe", b"\xed\xa0\x80", "ключ".encode("koi8-r"), b"\xa0new-key"])
async def test_stops_bytes_that_are_no_text(client: httpx.AsyncClient, key: bytes) -> None:
    answer = await client.get("/notes/7", headers={b"X-API-Key": key})

    assert answer.status_code == 401


async def test_tells_who_bears_no_key_what_to_send(client: httpx.AsyncClient) -> None:
    answer = await client.get("/notes/7")

    assert answer.headers["WWW-Authenticate"] == 'ApiKey realm="api"'
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "Send one of the service's keys in the X-API-Key header."


@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
async def test_guards_every_route_of_every_router(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path, json={"text": "a"})

    assert answer.status_code == 401


async def test_asks_for_the_key_before_it_tells_of_mistakes(client: httpx.AsyncClient) -> None:
    answer = await client.put("/notes/seven", json={"stars": "many"})

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"])
async def test_leaves_probes_and_documentation_open(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


async def test_guards_nothing_where_no_key_is_set(make_client: ClientMaker) -> None:
    client = await make_client(notes_api.build())

    assert (await client.get("/notes/7", headers={"X-API-Key": "any"})).status_code == 200
