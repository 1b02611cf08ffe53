"""A server that is away, silent, busy or in the way; what is only for now is a 503."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from service_kit.postgres.engine import Pool, make_engine
from service_kit.postgres.errors import TransactionUndoneError
from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.settings.stores import PostgresSettings
from tests.service_kit.conftest import ClientMaker
from tests.support.ledger import api
from tests.support.ledger.serving import is_ready, serving
from tests.support.ledger.tables import PAYMENTS, SCHEMA
from tests.support.rabbit_support import until
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.usefixtures("clean_environment")


@asynccontextmanager
async def somebody_else(settings: PostgresSettings) -> AsyncIterator[AsyncConnection]:
    """A connection past the store's pool, in a transaction."""
    engine = make_engine(settings)
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


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
    ledger: PostgresStore, postgres_settings: PostgresSettings
) -> None:
    with pytest.raises(StoreUnavailableError):  # noqa: PT012 - the same
        async with ledger.transaction() as session:
            pid = await session.scalar(select(func.pg_backend_pid()))
            async with somebody_else(postgres_settings) as other:
                await other.execute(select(func.pg_terminate_backend(pid)))
            await session.execute(select(1))
    async with ledger.transaction() as session:
        assert await session.scalar(select(1)) == 1


async def test_a_silent_server_is_given_up_and_its_connection_with_it(
    postgres: Postgres, postgres_settings: PostgresSettings, ledger: PostgresStore
) -> None:
    del ledger  # only its database is used
    async with TcpProxy(postgres.url) as proxy:
        engine = make_engine(
            postgres_settings.model_copy(update={"database_url": SecretStr(proxy.url)}), answer_seconds=0.2
        )
        async with engine.connect() as connection:
            await connection.execute(select(1))
            await connection.rollback()
            proxy.hold_responses()
            with pytest.raises(StoreUnavailableError):
                await connection.execute(select(1))
        proxy.release_responses()
        async with engine.connect() as connection:
            assert await connection.scalar(select(1)) == 1
        await engine.dispose()


async def test_a_deadlock_undoes_one_and_is_nothing_for_the_other(ledger: PostgresStore) -> None:
    async with ledger.transaction() as session:
        await session.execute(PAYMENTS.insert(), [{"payer": name, "cents": 1} for name in ("ana", "eve")])
    both = asyncio.Barrier(2)

    async def lock(*payers: str) -> None:
        async with ledger.transaction() as session:
            await session.execute(PAYMENTS.update().where(PAYMENTS.c.payer == payers[0]).values(cents=2))
            await both.wait()
            await session.execute(PAYMENTS.update().where(PAYMENTS.c.payer == payers[1]).values(cents=2))

    ends = await asyncio.gather(lock("ana", "eve"), lock("eve", "ana"), return_exceptions=True)
    assert {type(end) for end in ends} == {TransactionUndoneError, type(None)}


async def test_a_pool_whose_connections_are_all_busy_is_a_503(
    postgres_settings: PostgresSettings, make_client: ClientMaker
) -> None:
    store = PostgresStore(postgres_settings, SCHEMA, pool=Pool(size=1, overflow=0, wait_seconds=0.1))
    async with serving(api.build(store), make_client) as client, store.transaction() as session:
        await session.execute(select(1))
        assert (await client.get("/payments/count")).status_code == 503


async def test_goes_on_after_a_migration_that_changed_a_table(ledger: PostgresStore) -> None:
    """The plan that the connection keeps is stale then; the client is asked to try again."""
    everything = text("SELECT * FROM payments")
    async with ledger.engine.connect() as connection:
        await connection.execute(everything)
    async with somebody_else(ledger.settings) as connection:
        await connection.execute(text("ALTER TABLE payments ADD COLUMN more text"))
    with pytest.raises(StoreUnavailableError):
        async with ledger.engine.connect() as connection:
            await connection.execute(everything)
    async with ledger.engine.connect() as connection:
        await connection.execute(everything)


async def test_a_wrong_statement_is_a_mistake_of_ours_without_anybodys_values(ledger: PostgresStore) -> None:
    with pytest.raises(ProgrammingError) as refused:
        async with ledger.transaction() as session:
            await session.execute(text("SELECT :value, nothing FROM payments"), {"value": "geheim"})
    assert isinstance(refused.value, DBAPIError)
    assert "geheim" not in str(refused.value)


async def test_a_database_without_its_tables_is_not_there_yet(ledger: PostgresStore) -> None:
    with pytest.raises(StoreUnavailableError):
        async with ledger.transaction() as session:
            await session.execute(text("SELECT * FROM nowhere"))
