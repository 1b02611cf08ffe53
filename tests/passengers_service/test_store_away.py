"""PostgreSQL goes and comes again; the service stays."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from tests.passengers_service.conftest import calling, register, registered, replace, settings_for
from tests.support.api_client import is_ready
from tests.support.rabbit_support import until

_SECONDS = 5.0


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    """One that a test may stop."""
    with Postgres(tmp_path, free_port(), temporary=True) as server:
        yield server


async def test_answers_503_within_seconds_while_postgres_is_away_and_goes_on_when_it_is_back(
    own_postgres: Postgres,
) -> None:
    async with calling(settings_for(own_postgres.url)) as api:
        await until(lambda: is_ready(api))
        passenger = await registered(api)
        own_postgres.stop()
        async with asyncio.timeout(_SECONDS):
            refused = await asyncio.gather(
                register(api, document_number="OTHER"),
                api.get(f"/passengers/{passenger['id']}"),
                api.get("/passengers"),
                replace(api, passenger, first_name="Eva"),
                api.delete(f"/passengers/{passenger['id']}"),
                api.get("/sync/digest"),
            )
        own_postgres.start()
        await until(lambda: is_ready(api))
        back = [await api.get(f"/passengers/{passenger['id']}") for _ in range(10)]

        assert [answer.status_code for answer in refused] == [503] * 6
        assert all(answer.headers["retry-after"] for answer in refused)
        assert [answer.json() for answer in back] == [passenger] * 10
        assert (await register(api, document_number="OTHER")).status_code == 201


async def test_starts_before_postgres_and_is_ready_once_it_is_there(tmp_path: Path) -> None:
    server = Postgres(tmp_path, free_port(), temporary=True)
    async with calling(settings_for(server.url)) as api:
        early = await register(api)
        live = await api.get("/health/live")
        with server:
            await until(lambda: is_ready(api))
            late = await register(api)

    assert (early.status_code, live.status_code, late.status_code) == (503, 200, 201)
