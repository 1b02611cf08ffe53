"""What HTTP asks of every route, of an API whose routes do not think of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Header, Request, Response
from starlette.responses import StreamingResponse

from service_kit.api.etags import AcceptedVersions, KnownVersions, StaleEditError, accepts, etag_of, not_modified
from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api
from tests.support.notes_api import NotesSettings

router = APIRouter()


@router.get("/tagged", response_model=None)
async def tagged(known: KnownVersions, response: Response) -> Response | str:
    response.headers["ETag"] = etag_of(7)
    response.headers["Vary"] = "Accept-Encoding"
    return not_modified(known, 7, headers={"Vary": "Accept-Encoding"}) or "seven"


@router.put("/tagged")
async def change(accepted: AcceptedVersions, response: Response) -> str:
    if not accepts(accepted, 7):
        raise StaleEditError
    response.headers["ETag"] = etag_of(8)
    return "eight"


@router.get("/public")
async def public(response: Response) -> str:
    response.headers["Cache-Control"] = "public, max-age=60"
    return "known to all"


@router.get("/heard")
async def heard(request: Request, accept_encoding: Annotated[str, Header()] = "") -> list[str]:
    return [request.method, accept_encoding]


@router.get("/endless")
async def endless() -> Response:
    async def ticks() -> AsyncIterator[bytes]:
        while True:
            yield b"tick"
            await asyncio.sleep(0)

    return StreamingResponse(ticks())


@pytest.fixture
async def client(make_client: ClientMaker) -> httpx.AsyncClient:
    return await make_client(notes_api.build(routers=(router, notes_api.router)))


@pytest.mark.parametrize(
    ("method", "path", "kept"),
    [
        ("GET", "/notes/7", "no-store"),
        ("POST", "/notes", "no-store"),
        ("GET", "/nowhere", "no-store"),
        ("POST", "/notes/broken", "no-store"),
        ("GET", "/health/live", "no-store"),
        ("PUT", "/tagged", "no-store"),
        ("GET", "/tagged", "private, no-cache"),
        ("HEAD", "/tagged", "private, no-cache"),
        ("GET", "/public", "public, max-age=60"),
    ],
)
async def test_tells_caches_what_to_keep(client: httpx.AsyncClient, method: str, path: str, kept: str) -> None:
    assert (await client.request(method, path)).headers.get_list("cache-control") == [kept]


@pytest.mark.parametrize(("key", "varies"), [("", "Accept-Encoding"), ("open", "Accept-Encoding, X-API-Key")])
@pytest.mark.parametrize(("known", "status"), [('"6"', 200), ('"7"', 304)])
async def test_an_answer_to_keep_says_whose_it_is(
    make_client: ClientMaker, key: str, varies: str, known: str, status: int
) -> None:
    client = await make_client(notes_api.build(NotesSettings.model_validate({"api_key": key}), routers=(router,)))

    answer = await client.get("/tagged", headers={"X-API-Key": key, "If-None-Match": known})

    assert (answer.status_code, answer.headers["etag"]) == (status, '"7"')
    assert answer.headers.get_list("vary") == [varies]
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "path", ["/tagged", "/notes/7", "/notes", "/nowhere", "/health/ready", "/docs", "/openapi.json"]
)
async def test_head_is_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    whole, head = await client.get(path), await client.head(path)

    assert (head.status_code, head.content) == (whole.status_code, b"")
    changing = {"x-request-id", "x-process-time", "server-timing"}
    assert {name: value for name, value in head.headers.items() if name not in changing} == {
        name: value for name, value in whole.headers.items() if name not in changing
    }


async def test_head_ends_what_has_no_end(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(5):
        assert (await client.head("/endless")).status_code == 200


async def test_head_is_timed_as_head(client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]) -> None:
    await client.head("/notes/7")

    assert "HEAD /notes/{number} 200 " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/notes", "GET, HEAD, OPTIONS, POST"),
        ("/notes/7", "GET, HEAD, OPTIONS, PUT"),
        ("/notes/gone", "GET, HEAD, OPTIONS, POST, PUT"),
        ("/health/live", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_names_the_methods(client: httpx.AsyncClient, path: str, allowed: str) -> None:
    answer = await client.options(path, headers={"Origin": "https://elsewhere.example"})

    assert (answer.status_code, answer.content, answer.headers["allow"]) == (204, b"", allowed)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_options_of_nothing_is_404(client: httpx.AsyncClient) -> None:
    assert (await client.options("/nowhere")).status_code == 404


async def test_takes_the_lines_of_a_list_together(client: httpx.AsyncClient) -> None:
    lines = [("Accept-Encoding", "br"), ("Accept-Encoding", "gzip;q=0.5"), ("X", "y")]

    assert (await client.get("/heard", headers=lines)).json() == ["GET", "br, gzip;q=0.5"]


@pytest.mark.parametrize(
    ("method", "lines", "status"),
    [
        ("GET", [("If-None-Match", '"6"'), ("If-None-Match", '"7"')], 304),
        ("PUT", [("If-Match", '"6"'), ("If-Match", '"7"')], 200),
        ("PUT", [("If-Match", '"5"'), ("If-Match", '"6"')], 412),
        ("PUT", [("If-None-Match", "*")], 412),
        ("PUT", [("If-None-Match", "*"), ("If-Match", '"7"')], 412),
        ("PUT", [("If-None-Match", '"7"')], 422),
    ],
)
async def test_keeps_conditions(
    client: httpx.AsyncClient, method: str, lines: list[tuple[str, str]], status: int
) -> None:
    assert (await client.request(method, "/tagged", headers=lines)).status_code == status
