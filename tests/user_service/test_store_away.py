"""MongoDB goes and comes again; the service stays."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from tests.support.api_client import is_ready
from tests.support.rabbit_support import until
from tests.user_service.conftest import calling, register, registered, settings_for

_SECONDS = 5.0


@pytest.fixture
def own_mongod(tmp_path: Path) -> Iterator[Mongod]:
    """One that a test may stop."""
    with Mongod(tmp_path, free_port()) as server:
        yield server


async def test_answers_503_within_seconds_while_mongodb_is_away_and_goes_on_when_it_is_back(own_mongod: Mongod) -> None:
    async with calling(settings_for(own_mongod.url)) as api:
        await until(lambda: is_ready(api))
        user = await registered(api)
        own_mongod.stop()
        async with asyncio.timeout(_SECONDS):
            refused = await asyncio.gather(
                register(api, email="bea@example.com"),
                api.get(f"/users/{user['id']}"),
                api.get("/users/"),
                api.put(f"/users/{user['id']}", json={"name": "Bea"}),
                api.delete(f"/users/{user['id']}"),
            )
        own_mongod.start()
        await until(lambda: is_ready(api))

        assert [answer.status_code for answer in refused] == [503] * 5
        assert all(answer.headers["retry-after"] for answer in refused)
        assert (await api.get(f"/users/{user['id']}")).json() == user
        assert (await register(api, email="bea@example.com")).status_code == 201


async def test_starts_before_mongodb_and_is_ready_once_it_is_there(tmp_path: Path) -> None:
    server = Mongod(tmp_path, free_port())
    async with calling(settings_for(server.url)) as api:
        early = await register(api)
        live = await api.get("/health/live")
        try:
            server.start()
            await until(lambda: is_ready(api))
            late = await register(api)
        finally:
            server.stop()

    assert (early.status_code, live.status_code, late.status_code) == (503, 200, 201)
