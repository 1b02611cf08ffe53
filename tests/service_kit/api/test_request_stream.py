import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.types import Message

from service_kit.api.request_stream import CutOffBodyError, Patience, streamed_body, streams_body
from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api
from tests.support.notes_api import NotesSettings

LIMIT = 1024 * 1024

router = APIRouter(prefix="/notes", tags=["notes"])


@router.post("/many")
@streams_body
async def count_bytes(request: Request) -> int:
    return sum([len(piece) async for piece in streamed_body(request, LIMIT)])


@router.post("/slow")
@streams_body
async def count_hasty_bytes(request: Request) -> int:
    hasty = Patience(silent_seconds=0.2, least_bytes_per_second=16 * 1024, longest_seconds=0.6)
    return sum([len(piece) async for piece in streamed_body(request, LIMIT, hasty)])


@pytest.fixture
def app() -> FastAPI:
    return notes_api.build(NotesSettings(max_body_bytes=1024), routers=(router, notes_api.router))


@pytest.fixture
async def client(make_client: ClientMaker, app: FastAPI) -> httpx.AsyncClient:
    return await make_client(app)


async def pieces(count: int, *, size: int = 1024, seconds_between: float = 0) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size
        await asyncio.sleep(seconds_between)


async def test_a_marked_route_has_a_limit_of_its_own(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes/many", content=pieces(1024))

    assert (answer.status_code, answer.json()) == (200, LIMIT)


async def test_its_limit_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes/many", content=pieces(1025))

    assert answer.status_code == 413
    assert answer.json()["detail"] == f"The body is larger than {LIMIT} bytes. Send it in smaller pieces."


async def test_the_other_routes_keep_the_common_limit(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes", content=pieces(2), headers={"Content-Type": "application/json"})

    assert answer.status_code == 413


async def test_the_marked_body_may_hold_any_bytes(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes/many", content=rb'"\ud800"', headers={"Content-Type": "application/json"})

    assert answer.json() == 8


@pytest.mark.parametrize(
    ("count", "size", "seconds_between"),
    [(2, 1024, 5), (1000, 1, 0.05), (1000, 1024, 0.05)],
    ids=["silent", "too slow", "too long"],
)
async def test_a_client_that_would_never_end_is_given_up(
    client: httpx.AsyncClient, count: int, size: int, seconds_between: float
) -> None:
    async with asyncio.timeout(3):
        answer = await client.post("/notes/slow", content=pieces(count, size=size, seconds_between=seconds_between))

    assert (answer.status_code, answer.json()["type"]) == (408, "urn:problem-type:body-too-slow")
    assert answer.headers["Connection"] == "close"


async def test_who_is_slow_but_goes_on_is_waited_for(client: httpx.AsyncClient) -> None:
    """Ten pauses, of which each alone is shorter than the patience, and all together are longer."""
    answer = await client.post("/notes/slow", content=pieces(10, seconds_between=0.045))

    assert (answer.status_code, answer.json()) == (200, 10 * 1024)


async def test_a_body_that_is_cut_off_is_no_body() -> None:
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(messages)

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/notes/many", "headers": []}
    with pytest.raises(CutOffBodyError):
        _ = [piece async for piece in streamed_body(Request(scope, receive), LIMIT)]
