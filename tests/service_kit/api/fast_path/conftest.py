"""The letters API, whose one path has both a fast path and a route, and a client of it."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Body, FastAPI, Request
from starlette.responses import Response

from service_kit.api.app import create_app
from service_kit.api.fast_path import FastPath, PlainRequest
from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api
from tests.support.notes_api import NotesSettings
from tests.support.single_chunk_bodies import WholeBodies

JSON = {"Content-Type": "application/json"}
LETTER = b'{"text": "Dear \xc3\x91"}'
ASIDE, GONE, BROKEN = b'"aside"', b'"gone"', b'"broken"'
LIMIT = 2048

router = APIRouter()


@router.post("/letters")
async def by_route(request: Request, letter: Annotated[object, Body()] = None) -> Response:  # noqa: ARG001 - for FastAPI to read
    return Response(await request.body(), headers={"X-Served-By": "route"}, media_type="application/json")


async def by_lane(request: PlainRequest) -> Response | None:
    if request.body == ASIDE:
        return None
    if request.body == GONE:
        raise notes_api.NoteGoneError
    if request.body == BROKEN:
        raise RuntimeError("the inside of things")
    return Response(request.body, headers={"X-Served-By": "lane"}, media_type="application/json")


def build(lane: FastPath | None = None, **settings: object) -> FastAPI:
    """An API whose one path has both a fast path and a route."""
    return create_app(
        NotesSettings.model_validate({"max_body_bytes": LIMIT, **settings}),
        description="Letters.",
        routers=[router, lane or FastPath("POST", "/letters", by_lane)],
    )


@pytest.fixture
async def client(make_client: ClientMaker) -> httpx.AsyncClient:
    """A client of the letters API, whose bodies arrive whole."""
    return await make_client(WholeBodies(build()))


def served_by(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    return str(answer.headers["X-Served-By"])
