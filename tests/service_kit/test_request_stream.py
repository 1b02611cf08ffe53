import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.types import Message

from service_kit.request_stream import CutOffBodyError, streamed_body, streams_body
from service_kit.settings import ApiSettings
from tests.service_kit import notes_api
from tests.service_kit.conftest import ClientMaker

LIMIT = 1024 * 1024

router = APIRouter(prefix="/notes", tags=["notes"])


@router.post("/many")
@streams_body
async def count_bytes(request: Request) -> int:
    return sum([len(piece) async for piece in streamed_body(request, LIMIT)])


@router.post("/slow")
@streams_body
async def count_hasty_bytes(request: Request) -> int:
    return sum([len(piece) async for piece in streamed_body(request, LIMIT, patience_seconds=0.01)])


@pytest.fixture
def app() -> FastAPI:
    return notes_api.build(ApiSettings(max_body_bytes=1024), routers=(router, notes_api.router))


@pytest.fixture
async def client(make_client: ClientMaker, app: FastAPI) -> httpx.AsyncClient:
    return await make_client(app)


async def pieces(count: int, *, seconds_between: float = 0) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 1024
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


async def test_a_client_that_stays_silent_is_given_up(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes/slow", content=pieces(2, seconds_between=1))

    assert (answer.status_code, answer.json()["type"]) == (408, "urn:problem-type:body-too-slow")


async def test_a_body_that_is_cut_off_is_no_body() -> None:
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(messages)

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/notes/many", "headers": []}
    with pytest.raises(CutOffBodyError):
        _ = [piece async for piece in streamed_body(Request(scope, receive), LIMIT)]
