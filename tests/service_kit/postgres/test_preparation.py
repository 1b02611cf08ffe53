"""A store that waits until its database is there and has its tables."""

import asyncio

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from structlog.testing import capture_logs

from dev_stack.ports import free_port
from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.settings.stores import PostgresSettings
from tests.service_kit.conftest import PythonRunner
from tests.support.ledger.tables import SCHEMA
from tests.support.rabbit_support import until

pytestmark = pytest.mark.usefixtures("clean_environment")


async def test_waiting_for_the_database_is_told_once_a_try() -> None:
    away = PostgresSettings(database_url=SecretStr(f"postgresql://me:geheim@127.0.0.1:{free_port()}"))
    store = PostgresStore(away, SCHEMA)
    with capture_logs() as told:
        async with store.running():
            await until(lambda: bool(told))
            with pytest.raises(StoreUnavailableError):
                store.require_prepared()
            with pytest.raises(StoreUnavailableError):
                async with store.transaction():
                    pass
    assert (told[0]["event"], told[0]["log_level"]) == ("store_not_prepared", "warning")
    assert "geheim" not in str(told)


async def test_a_database_that_cannot_be_migrated_keeps_the_service_from_being_ready(
    postgres_settings: PostgresSettings, ledger: PostgresStore
) -> None:
    async with ledger.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    waiting = PostgresStore(postgres_settings, SCHEMA)
    with capture_logs() as told:
        async with waiting.running():
            await until(lambda: any(line["event"] == "store_not_prepared" for line in told))
            with pytest.raises(StoreUnavailableError):
                await waiting.ping()
            async with ledger.transaction() as session:
                await session.execute(text("ALTER TABLE payments DROP COLUMN note"))
            await until(lambda: told[-1]["event"] == "store_prepared")
            await waiting.ping()
    assert any("already exists" in str(line.get("error")) for line in told)


async def test_a_database_that_has_lost_its_tables_is_prepared_again(ledger: PostgresStore) -> None:
    async with ledger.running():
        async with ledger.transaction() as session:
            tables = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            await session.execute(text(f"DROP TABLE {', '.join(tables)}"))

        with pytest.raises(StoreUnavailableError):
            await ledger.ping()

        await until(lambda: ledger._prepared)
        await ledger.ping()
        async with ledger.transaction() as session:
            assert await session.scalar(text("SELECT count(*) FROM payments")) == 0


CLOSE_WHILE_WAITING = """
import asyncio
from service_kit.settings.environment import load_settings
from service_kit.settings.stores import PostgresSettings
from service_kit.postgres.store import PostgresStore
from tests.support.ledger.tables import SCHEMA

async def main():
    async with PostgresStore(load_settings(PostgresSettings), SCHEMA).running():
        await asyncio.sleep(0.1)
        print("open", flush=True)

asyncio.run(main())
"""


async def test_closes_at_once_while_it_waits(run_python: PythonRunner) -> None:
    process = await run_python("-c", CLOSE_WHILE_WAITING, DATABASE_URL=f"postgresql://me@127.0.0.1:{free_port()}")
    await process.says("open")
    async with asyncio.timeout(5):
        assert await process.ends() == 0
    assert not [line for line in process.lines if "Traceback" in line]
