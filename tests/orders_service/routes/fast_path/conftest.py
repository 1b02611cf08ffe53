"""One body sent both ways: down the fast path and through FastAPI's route."""

import re
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orders_service.config.settings import OrdersSettings
from orders_service.main import build
from orders_service.routes.orders import _create_fast, create
from tests.orders_service.conftest import Stored, is_ready
from tests.support.rabbit_support import until
from tests.support.single_chunk_bodies import WholeBodies

LANE: Final = _create_fast.__name__
ROUTE: Final = create.__name__
PLAIN: Final = {"Content-Type": "application/json"}
ORDINARY: Final = {"Content-Type": "application/json; charset=utf-8"}
"""No lane takes it."""


class TellsEndpoint:
    """Adds `X-Endpoint`, which tells which function has answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_telling(message: Message) -> None:
            if message["type"] == "http.response.start" and "endpoint" in scope:
                message["headers"] = [*message["headers"], (b"x-endpoint", scope["endpoint"].__name__.encode())]
            await send(message)

        await self.app(scope, receive, send_telling)


@pytest.fixture
async def api(settings: OrdersSettings, stored: Stored) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app whose bodies arrive whole."""
    assert stored is not None
    app = build(settings)
    transport = httpx.ASGITransport(WholeBodies(TellsEndpoint(app)))
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://api") as api:
        await until(lambda: is_ready(api))
        yield api


_CHANGING = re.compile(rb'"(id|created_at|request_id)":"[^"]+"')


def likeness(answer: httpx.Response) -> tuple[object, ...]:
    """What two answers to one body have in common."""
    body = _CHANGING.sub(rb'"\1":"..."', answer.content)
    return answer.status_code, body, answer.headers["Content-Type"], sorted(answer.headers)


async def both_ways(
    api: httpx.AsyncClient, body: bytes, key: str | None = None
) -> tuple[httpx.Response, httpx.Response]:
    keyed = [] if key is None else [(b"Idempotency-Key", key.encode())]
    by_lane, by_route = [
        await api.post("/orders", content=body, headers=[(b"Content-Type", media_type.encode()), *keyed])
        for media_type in (PLAIN["Content-Type"], ORDINARY["Content-Type"])
    ]
    return by_lane, by_route
