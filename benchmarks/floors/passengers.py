"""The floor of passengers_service: what nobody can leave out who validates, stores and lists.

A load is our own validation and one bare COPY into a table without an index but its key; a list is a bare `json_agg`.
No outbox, no stamps, no documents that are looked for, no pages, no tags.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

import asyncpg
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from passengers_service.models.passenger import NewPassenger
from service_kit.settings.process import ServiceSettings

_PASSENGERS: Final = TypeAdapter(list[NewPassenger])
_COLUMNS: Final = (
    *("id", "document_type", "document_number", "first_name", "last_name"),
    *("email", "phone", "birth_date", "nationality"),
)
_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS passengers (
        id uuid PRIMARY KEY, document_type text, document_number text, first_name text, last_name text,
        email text, phone text, birth_date date, nationality text,
        created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now())
"""


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], database=os.environ["DATABASE_NAME"]) as pool:
        await pool.execute(_TABLE)
        app.state.pool = pool
        yield


async def _load(request: Request) -> Response:
    passengers = _PASSENGERS.validate_json(await request.body())
    rows = [
        (
            passenger.id or uuid4(),
            *(passenger.document_type, passenger.document_number, passenger.first_name, passenger.last_name),
            *(passenger.email, passenger.phone, passenger.birth_date, passenger.nationality),
        )
        for passenger in passengers
    ]
    async with request.app.state.pool.acquire() as connection:
        await connection.copy_records_to_table("passengers", records=rows, columns=_COLUMNS)
    return Response(b"%d" % len(rows))


async def _list(request: Request) -> Response:
    listed = "SELECT json_agg(p)::text FROM (SELECT * FROM passengers ORDER BY id LIMIT 10000) p"
    body: str = await request.app.state.pool.fetchval(listed)
    return Response(body, media_type="application/json")


async def _ready(_request: Request) -> Response:
    return Response()


app = Starlette(
    lifespan=_lifespan,
    routes=[
        Route("/passengers/bulk", _load, methods=["POST"]),
        Route("/passengers", _list),
        Route("/health/ready", _ready),
    ],
)
app.state.settings = ServiceSettings()
