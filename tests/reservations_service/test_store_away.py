"""PostgreSQL goes and comes again; the service stays."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from reservations_service.config.database import open_store
from service_kit.clock import utc_now
from service_kit.fields.uuid7 import new_uuid7
from tests.reservations_service.conftest import ANA, book, booked, calling, edit, settings_for, tell
from tests.reservations_service.routes.test_passengers import EDIT
from tests.support.api_client import is_ready
from tests.support.rabbit_support import until

_SECONDS = 8.0


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    """One that a test may stop."""
    with Postgres(tmp_path / "own", free_port(), temporary=True) as server:
        yield server


async def test_answers_503_within_seconds_while_postgresql_is_away_and_goes_on_when_it_is_back(
    own_postgres: Postgres,
) -> None:
    settings = settings_for(own_postgres.url)
    passenger_id = new_uuid7(utc_now())
    async with calling(settings) as api:
        await until(lambda: is_ready(api))
        store = open_store(settings)
        await store.prepare()
        await tell(store, ANA, passenger_id)
        await store.engine.dispose()
        reservation = await booked(api, passenger_id)
        own_postgres.stop()
        async with asyncio.timeout(_SECONDS):
            refused = await asyncio.gather(
                book(api, passenger_id, seat="12D"),
                api.get("/reservations"),
                api.get(f"/reservations/{reservation['id']}"),
                edit(api, reservation, status="confirmed"),
                api.delete(f"/reservations/{reservation['id']}"),
                api.get(f"/passengers/{passenger_id}"),
                api.put(f"/passengers/{passenger_id}", json=EDIT),
                api.get("/sync/digest"),
            )
        live = await api.get("/health/live")
        own_postgres.start()
        await until(lambda: is_ready(api))

        assert [answer.status_code for answer in refused] == [503] * 8
        assert all(answer.headers["retry-after"] for answer in refused)
        assert live.status_code == httpx.codes.OK
        assert (await api.get(f"/reservations/{reservation['id']}")).json() == reservation
        assert (await book(api, passenger_id, seat="12D")).status_code == httpx.codes.CREATED


async def test_starts_before_postgresql_and_is_ready_once_it_is_there(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "late", free_port(), temporary=True)
    with server:
        server.stop()
        async with calling(settings_for(server.url)) as api:
            early = await book(api, uuid4())
            server.start()
            await until(lambda: is_ready(api))
            late = await book(api, uuid4())

    assert (early.status_code, late.status_code) == (503, 422)
