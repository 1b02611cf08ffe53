"""What tests of the kit ask for: the notes API, a queue, a proxy, a database, Python without any settings of ours."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp

from dev_stack.servers.postgres import Postgres
from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.postgres.engine import open_connection
from service_kit.postgres.store import PostgresStore
from service_kit.settings.process import ApiKeySettings, ApiSettings
from service_kit.settings.stores import MongoSettings, PostgresSettings, RabbitSettings
from tests.support import notes_api
from tests.support.ledger.tables import SCHEMA
from tests.support.rabbit_support import Queue, own_queue
from tests.support.replicas import Side
from tests.support.running import Running
from tests.support.tcp_proxy import TcpProxy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hides the developer's own settings and `.env`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENV_FILE", raising=False)
    groups = (ApiSettings, ApiKeySettings, MongoSettings, PostgresSettings, RabbitSettings)
    ours = {name for group in groups for name in group.model_fields}
    for name in os.environ:
        if name.lower() in {*ours, "mongo_url", "cloudamqp_url", "railway_environment"}:
            monkeypatch.delenv(name)


@pytest.fixture
async def postgres_settings(postgres: Postgres) -> AsyncIterator[PostgresSettings]:
    """Settings that name a database of the test's own, which is not there yet; gone afterwards."""
    name = f"t{uuid4().hex}"
    settings = PostgresSettings(database_url=SecretStr(postgres.url), database_name=name)
    yield settings
    connection = await open_connection(settings, database="postgres")
    await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def ledger(postgres_settings: PostgresSettings) -> AsyncIterator[PostgresStore]:
    """The ledger's store, prepared, in a database of its own."""
    store = PostgresStore(postgres_settings, SCHEMA)
    await store.prepare()
    yield store
    await store.engine.dispose()


@pytest.fixture
async def sides(postgres: Postgres) -> AsyncIterator[tuple[Side, Side]]:
    both = Side("/left", postgres.url), Side("/right", postgres.url)
    for side in both:
        await side.open()
    yield both
    for side in both:
        await side.store.engine.dispose()


@pytest.fixture
async def queue(rabbit: RabbitNode) -> AsyncIterator[Queue]:
    """A queue of the test's own."""
    async with own_queue(rabbit.url) as queue:
        yield queue


@pytest.fixture
async def proxy(rabbit: RabbitNode) -> AsyncIterator[TcpProxy]:
    """A way to RabbitMQ that a test can break."""
    async with TcpProxy(rabbit.url) as proxy:
        yield proxy


ClientMaker = Callable[[ASGIApp], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def make_client(clean_environment: None) -> AsyncIterator[ClientMaker]:  # noqa: ARG001 - asked for what it does
    """Makes clients that call an app in process; what they themselves would log is left out."""
    async with AsyncExitStack() as clients:

        async def make(app: ASGIApp) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app)
            return await clients.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://notes"))

        yield make


@pytest.fixture
async def client(make_client: ClientMaker) -> httpx.AsyncClient:
    """A client of the notes API as it is without any setting."""
    return await make_client(notes_api.build())


PythonRunner = Callable[..., Awaitable[Running]]


@pytest.fixture
async def run_python(tmp_path: Path) -> AsyncIterator[PythonRunner]:
    """Starts Python with these arguments and only these settings; what still runs at the end is killed."""
    started: list[asyncio.subprocess.Process] = []

    async def run(*arguments: str, **environment: str) -> Running:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        started.append(process)
        return Running(process)

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()
