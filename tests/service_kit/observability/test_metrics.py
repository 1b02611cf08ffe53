import httpx
import pytest
from pydantic import SecretStr

from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api
from tests.support.notes_api import NotesSettings


@pytest.fixture
async def client(make_client: ClientMaker) -> httpx.AsyncClient:
    """A client of an API whose metrics need one of two keys, and whose notes need another."""
    settings = NotesSettings(api_key=SecretStr("of-the-api"), metrics_key=SecretStr("new, ключ"))
    return await make_client(notes_api.build(settings))


@pytest.mark.parametrize("header", ["Bearer new", "bearer new", "Bearer  new ", "Bearer ключ"])
async def test_are_read_by_the_bearer_of_any_key(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/metrics", headers={b"Authorization": header.encode()})

    assert answer.status_code == 200
    assert "python_gc" in answer.text


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer of-the-api", "Basic new", "new", "Bearer new, ключ", "Bearer \xff"]
)
async def test_stop_everybody_else(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/metrics", headers={b"Authorization": header.encode("latin-1", "replace")})

    assert answer.status_code == 401
    assert "python_gc" not in answer.text


async def test_the_key_of_the_api_does_not_open_them(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics", headers={"X-API-Key": "of-the-api"})

    assert answer.status_code == 401


async def test_tell_a_scraper_what_to_send(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")

    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="metrics"'
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"].endswith("as in Authorization: Bearer YOUR-METRICS-KEY.")
    assert problem["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_close_no_probe(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200
