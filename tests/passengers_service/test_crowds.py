"""Many who ask at once, or who never come to their end: the others are served as ever."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from service_kit.postgres.engine import make_engine
from service_kit.settings.stores import PostgresSettings
from tests.passengers_service.bulk_rows import as_ndjson, row_of
from tests.support.system import ServiceProcess

_SLOW_CLIENTS = 20
_HEAD = (
    b"POST /passengers/bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n"
)


@pytest.fixture
def service(tmp_path: Path, postgres: Postgres) -> Iterator[ServiceProcess]:
    """A real process, because real connections matter here."""
    away = f"amqp://guest:guest@127.0.0.1:{free_port()}/"
    settings = {"DATABASE_URL": postgres.url, "DATABASE_NAME": "crowds", "RABBITMQ_URL": away}
    with ServiceProcess(tmp_path, "passengers_service", **settings) as process:
        yield process


@pytest.fixture
async def database(service: ServiceProcess, postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    """Its database, seen by a stranger."""
    assert service.is_running
    engine = make_engine(PostgresSettings.model_validate({"database_url": postgres.url, "database_name": "crowds"}))
    yield engine
    await engine.dispose()


async def test_clients_that_dribble_keep_nobody_from_loading(service: ServiceProcess, database: AsyncEngine) -> None:
    slow = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(_SLOW_CLIENTS)]
    for _, writer in slow:
        writer.write(_HEAD + as_ndjson([row_of(number) for number in range(50)]))
        await writer.drain()
    async with httpx.AsyncClient(base_url=service.url, timeout=20) as api:
        answers = [await _load(api, number) for number in range(5)]
        busy = await _connections_in_transactions(database)
    for _, writer in slow:
        writer.close()

    assert [answer.status_code for answer in answers] == [200] * 5
    assert busy == 0


async def _load(api: httpx.AsyncClient, number: int) -> httpx.Response:
    body = as_ndjson([row_of(1000 + number)])
    return await api.post("/passengers/bulk", content=body, headers={"Content-Type": "application/x-ndjson"})


async def _connections_in_transactions(database: AsyncEngine) -> int:
    counted = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = 'crowds' AND xact_start IS NOT NULL "
        "AND pid <> pg_backend_pid() AND (state LIKE 'idle in%' OR query LIKE 'COPY%')"
    )
    async with database.connect() as connection:
        return int(await connection.scalar(counted) or 0)


async def test_a_crowd_at_the_digest_does_not_make_the_service_unready(
    service: ServiceProcess, database: AsyncEngine
) -> None:
    """A table that somebody has locked stands for one that takes long."""
    async with httpx.AsyncClient(base_url=service.url, timeout=20, limits=httpx.Limits(max_connections=100)) as api:
        async with database.begin() as connection:
            await connection.execute(text("LOCK TABLE passengers"))
            asking = [asyncio.create_task(api.get("/sync/digest")) for _ in range(60)]
            await _until_waiting(database)
            ready = await api.get("/health/ready")
            waiting = await _waiters(database)
        digests = await asyncio.gather(*asking)

    assert (ready.status_code, ready.json()["checks"]["postgres"], waiting) == (200, "ok", 1)
    assert {digest.status_code for digest in digests} == {200}
    assert len({digest.text for digest in digests}) == 1


async def _waiters(database: AsyncEngine) -> int:
    counted = text("SELECT count(*) FROM pg_stat_activity WHERE datname = 'crowds' AND wait_event_type = 'Lock'")
    async with database.connect() as connection:
        return int(await connection.scalar(counted) or 0)


async def _until_waiting(database: AsyncEngine) -> None:
    async with asyncio.timeout(20):
        while not await _waiters(database):  # noqa: ASYNC110 - it is another process that waits
            await asyncio.sleep(0.01)
