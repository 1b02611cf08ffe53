import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from dev_stack.ports import free_port
from dev_stack.postgres import Postgres
from service_kit import postgres as postgres_module
from service_kit.clock import utc_now
from service_kit.postgres import connect
from service_kit.postgres_outbox import add_events
from service_kit.postgres_store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.settings import PostgresSettings
from tests.service_kit.conftest import ClientMaker, PythonRunner
from tests.service_kit.ledger import api
from tests.service_kit.ledger.tables import OUTBOX, PAYMENTS, SCHEMA
from tests.service_kit.stage import Cable, thing_happened, until

pytestmark = pytest.mark.usefixtures("clean_environment")


@pytest.fixture
def store(ledger: PostgresStore) -> PostgresStore:
    """A store that is prepared."""
    return ledger


@asynccontextmanager
async def serving(app: FastAPI, make_client: ClientMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app):
        client = await make_client(app)
        await until(lambda: is_ready(client))
        yield client


async def is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def rows_of(store: PostgresStore) -> tuple[int, int]:
    """Payments and events."""
    async with store.engine.connect() as connection:
        payments = await connection.scalar(select(func.count()).select_from(PAYMENTS))
        events = await connection.scalar(select(func.count()).select_from(OUTBOX))
    return payments or 0, events or 0


@asynccontextmanager
async def somebody_else(settings: PostgresSettings) -> AsyncIterator[AsyncConnection]:
    """A connection past the store's pool, in a transaction."""
    engine = connect(settings)
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


# A transaction


async def test_a_change_and_its_event_are_there_before_the_answer_leaves(
    store: PostgresStore, make_client: ClientMaker
) -> None:
    seen: list[tuple[int, int]] = []
    app = api.build(store)

    async def watched(scope, receive, send):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - plain ASGI
        async def look(message):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - the same
            if message["type"] == "http.response.start" and scope["path"] == "/payments":
                seen.append(await rows_of(store))
            await send(message)

        await app(scope, receive, look)

    async with serving(app, make_client):
        client = await make_client(watched)
        assert (await client.post("/payments?payer=ana")).status_code == 201
    assert seen == [(1, 1)]


@pytest.mark.parametrize(
    ("query", "status"), [("payer=ana", 409), ("payer=eve&cents=0", 500), ("payer=eve&then_fail=true", 409)]
)
async def test_a_route_that_fails_leaves_neither_change_nor_event(
    store: PostgresStore, make_client: ClientMaker, query: str, status: int
) -> None:
    async with serving(api.build(store), make_client) as client:
        await client.post("/payments?payer=ana")
        assert (await client.post(f"/payments?{query}")).status_code == status
        assert await rows_of(store) == (1, 1)
        assert (await client.post("/payments?payer=eve")).status_code == 201


async def test_a_transaction_rolls_back_with_its_block(store: PostgresStore) -> None:
    with pytest.raises(RuntimeError, match="the block"):  # noqa: PT012 - the block is what raises
        async with store.transaction() as session:
            await session.execute(PAYMENTS.insert().values(payer="ana", cents=1))
            await add_events(session, OUTBOX, [(thing_happened(), None)], now=utc_now())
            raise RuntimeError("the block")
    assert await rows_of(store) == (0, 0)


async def test_a_request_whose_client_leaves_gives_its_connection_back(store: PostgresStore) -> None:
    async def slow() -> None:
        async with store.transaction() as session:
            await session.execute(text("SELECT pg_sleep(10)"))

    waiting = [asyncio.create_task(slow()) for _ in range(5)]
    await asyncio.sleep(0.2)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a queue pool's
    assert await rows_of(store) == (0, 0)


# A server that is away


async def test_a_service_outlives_its_database(tmp_path: Path, make_client: ClientMaker) -> None:
    server = Postgres(tmp_path, free_port(), temporary=True)
    settings = PostgresSettings(database_url=SecretStr(server.url), database_name="ledger")
    app = api.build(PostgresStore(settings, SCHEMA))
    client = await make_client(app)

    async def status() -> int:
        async with asyncio.timeout(4):
            return (await client.get("/payments/count")).status_code

    async with app.router.lifespan_context(app):
        assert await status() == 503
        with server:
            await until(lambda: is_ready(client))
            assert set(await asyncio.gather(*(status() for _ in range(10)))) == {200}  # ten pooled connections

            server.kill()
            assert [await status() for _ in range(3)] == [503] * 3
            server.start()
            assert [await status() for _ in range(12)] == [200] * 12

            server.kill()
            await asyncio.to_thread(server.start)  # meanwhile nobody has asked: the pool is full of dead connections
            assert set(await asyncio.gather(*(status() for _ in range(10)))) == {200}

            server.stop()
            answer = await client.post("/payments?payer=ana")
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem-type:store-unavailable")
            assert answer.headers["Retry-After"] == "2"


async def test_a_connection_that_breaks_in_a_transaction_is_a_503_and_the_next_one_works(
    store: PostgresStore, postgres_settings: PostgresSettings
) -> None:
    with pytest.raises(StoreUnavailableError):  # noqa: PT012 - the same
        async with store.transaction() as session:
            pid = await session.scalar(select(func.pg_backend_pid()))
            async with somebody_else(postgres_settings) as other:
                await other.execute(select(func.pg_terminate_backend(pid)))
            await session.execute(select(1))
    async with store.transaction() as session:
        assert await session.scalar(select(1)) == 1


async def test_a_silent_server_is_given_up_and_its_connection_with_it(
    postgres: Postgres, postgres_settings: PostgresSettings, store: PostgresStore
) -> None:
    del store  # only its database is used
    async with Cable(postgres.url) as cable:
        engine = connect(
            postgres_settings.model_copy(update={"database_url": SecretStr(cable.url)}), answer_seconds=0.2
        )
        async with engine.connect() as connection:
            await connection.execute(select(1))
            await connection.rollback()
            cable.deafen()
            with pytest.raises(StoreUnavailableError):
                await connection.execute(select(1))
        cable._answers.set()
        async with engine.connect() as connection:
            assert await connection.scalar(select(1)) == 1
        await engine.dispose()


async def test_a_deadlock_is_a_503_for_one_and_nothing_for_the_other(store: PostgresStore) -> None:
    async with store.transaction() as session:
        await session.execute(PAYMENTS.insert(), [{"payer": name, "cents": 1} for name in ("ana", "eve")])
    both = asyncio.Barrier(2)

    async def lock(*payers: str) -> None:
        async with store.transaction() as session:
            await session.execute(PAYMENTS.update().where(PAYMENTS.c.payer == payers[0]).values(cents=2))
            await both.wait()
            await session.execute(PAYMENTS.update().where(PAYMENTS.c.payer == payers[1]).values(cents=2))

    ends = await asyncio.gather(lock("ana", "eve"), lock("eve", "ana"), return_exceptions=True)
    assert {type(end) for end in ends} == {StoreUnavailableError, type(None)}


async def test_a_pool_whose_connections_are_all_busy_is_a_503(
    postgres_settings: PostgresSettings, make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "_POOL_SECONDS", 0.1)
    monkeypatch.setattr(postgres_module, "_POOLED", 1)
    monkeypatch.setattr(postgres_module, "_OVERFLOW", 0)
    store = PostgresStore(postgres_settings, SCHEMA)
    async with serving(api.build(store), make_client) as client, store.transaction() as session:
        await session.execute(select(1))
        assert (await client.get("/payments/count")).status_code == 503


async def test_goes_on_after_a_migration_that_changed_a_table(store: PostgresStore) -> None:
    """The plan that the connection keeps is stale then; the client is asked to try again."""
    everything = text("SELECT * FROM payments")
    async with store.engine.connect() as connection:
        await connection.execute(everything)
    async with somebody_else(store._settings) as connection:
        await connection.execute(text("ALTER TABLE payments ADD COLUMN more text"))
    with pytest.raises(StoreUnavailableError):
        async with store.engine.connect() as connection:
            await connection.execute(everything)
    async with store.engine.connect() as connection:
        await connection.execute(everything)


async def test_a_wrong_statement_is_a_mistake_of_ours_without_anybodys_values(store: PostgresStore) -> None:
    with pytest.raises(ProgrammingError) as refused:
        async with store.transaction() as session:
            await session.execute(text("SELECT :value FROM nowhere"), {"value": "geheim"})
    assert isinstance(refused.value, DBAPIError)
    assert "geheim" not in str(refused.value)


# Preparation


async def test_waiting_for_the_database_is_told_once_a_try() -> None:
    away = PostgresSettings(database_url=SecretStr(f"postgresql://me:geheim@127.0.0.1:{free_port()}"))
    store = PostgresStore(away, SCHEMA)
    with capture_logs() as told:
        async with store.opened():
            await until(lambda: bool(told))
            with pytest.raises(StoreUnavailableError):
                store.require_prepared()
            with pytest.raises(StoreUnavailableError):
                async with store.transaction():
                    pass
    assert (told[0]["event"], told[0]["log_level"]) == ("store_not_prepared", "warning")
    assert "geheim" not in str(told)


async def test_a_database_that_cannot_be_migrated_keeps_the_service_from_being_ready(
    postgres_settings: PostgresSettings, store: PostgresStore
) -> None:
    async with store.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    waiting = PostgresStore(postgres_settings, SCHEMA)
    with capture_logs() as told:
        async with waiting.opened():
            await until(lambda: any(line["event"] == "store_not_prepared" for line in told))
            with pytest.raises(StoreUnavailableError):
                await waiting.ping()
            async with store.transaction() as session:
                await session.execute(text("ALTER TABLE payments DROP COLUMN note"))
            await until(lambda: told[-1]["event"] == "store_prepared")
            await waiting.ping()
    assert any("already exists" in str(line.get("error")) for line in told)


CLOSE_WHILE_WAITING = """
import asyncio
from service_kit.settings import PostgresSettings, load
from service_kit.postgres_store import PostgresStore
from tests.service_kit.ledger.tables import SCHEMA

async def main():
    async with PostgresStore(load(PostgresSettings), SCHEMA).opened():
        await asyncio.sleep(0.1)

asyncio.run(main())
"""


async def test_closes_at_once_while_it_waits(run_python: PythonRunner) -> None:
    process = await run_python("-c", CLOSE_WHILE_WAITING, DATABASE_URL=f"postgresql://me@127.0.0.1:{free_port()}")
    async with asyncio.timeout(5):
        assert await process.ends() == 0
    assert not [line for line in process.lines if "Traceback" in line]


# Addresses


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_takes_every_spelling_of_an_address_and_its_own_database(postgres: Postgres, scheme: str) -> None:
    address = f"{scheme}://postgres:geheim@127.0.0.1:{postgres.port}/elsewhere?sslmode=disable"
    engine = connect(PostgresSettings(database_url=SecretStr(address), database_name="postgres"))
    async with engine.connect() as connection:
        found = (await connection.execute(text("SELECT current_database(), current_setting('TimeZone')"))).one()
    assert tuple(found) == ("postgres", "UTC")
    await engine.dispose()


async def test_tells_in_the_log_why_it_is_not_let_in(postgres: Postgres) -> None:
    missing = f"t{uuid4().hex}"
    engine = connect(PostgresSettings(database_url=SecretStr(postgres.url), database_name=missing))
    with capture_logs() as told, pytest.raises(StoreUnavailableError):
        async with engine.connect():
            pass
    await engine.dispose()
    assert f'database "{missing}" does not exist' in told[0]["error"]
