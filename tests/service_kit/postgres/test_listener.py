import asyncio
import statistics
from functools import partial

from pydantic import SecretStr
from sqlalchemy import func, select
from structlog.testing import capture_logs

from dev_stack.servers.postgres import Postgres
from service_kit.postgres.listener import OutboxListener
from service_kit.postgres.outbox import add_events
from service_kit.postgres.store import PostgresStore
from service_kit.settings.stores import PostgresSettings
from tests.support.ledger.tables import OUTBOX
from tests.support.rabbit_support import thing_happened, until
from tests.support.tcp_proxy import TcpProxy

brisk_listener = partial(OutboxListener, again_seconds=0.02)


async def write(ledger: PostgresStore) -> None:
    async with ledger.transaction() as session:
        await add_events(session, OUTBOX, [(thing_happened(), None)])


async def notified(outbox_listener: OutboxListener, *, within: float) -> None:
    async with asyncio.timeout(within):
        await outbox_listener.notified.wait()
    outbox_listener.notified.clear()


async def test_wakes_within_a_tenth_of_a_second_of_the_commit(
    ledger: PostgresStore, postgres_settings: PostgresSettings
) -> None:
    outbox_listener = brisk_listener(postgres_settings)
    async with outbox_listener.running():
        await notified(outbox_listener, within=5)
        waits = []
        for _ in range(11):
            await write(ledger)
            began = asyncio.get_running_loop().time()
            await notified(outbox_listener, within=5)
            waits.append(asyncio.get_running_loop().time() - began)
    assert statistics.median(waits) < 0.1


async def test_does_not_wake_before_the_commit_nor_for_another_database(
    ledger: PostgresStore, postgres: Postgres, postgres_settings: PostgresSettings
) -> None:
    here = brisk_listener(postgres_settings)
    elsewhere = brisk_listener(PostgresSettings(database_url=SecretStr(postgres.url), database_name="postgres"))
    async with here.running(), elsewhere.running():
        await notified(here, within=5)
        await notified(elsewhere, within=5)
        async with ledger.transaction() as session:
            await add_events(session, OUTBOX, [(thing_happened(), None)])
            await asyncio.sleep(0.05)
            assert not here.notified.is_set()
        await notified(here, within=2)
        assert not elsewhere.notified.is_set()


async def test_a_lost_connection_comes_back_and_wakes_for_what_it_missed(
    ledger: PostgresStore, postgres_settings: PostgresSettings
) -> None:
    outbox_listener = brisk_listener(postgres_settings)
    with capture_logs() as told:
        async with outbox_listener.running():
            await notified(outbox_listener, within=5)
            listeners = "pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
            async with ledger.engine.begin() as connection:
                await connection.exec_driver_sql(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listeners}"  # noqa: S608 - ours
                )
                await connection.execute(select(func.pg_sleep(0)))
            await notified(outbox_listener, within=5)
            await write(ledger)
            await notified(outbox_listener, within=2)
    assert {line["event"] for line in told} >= {"wake_ups_lost"}


async def test_finds_out_that_a_silent_connection_is_dead(
    ledger: PostgresStore, postgres: Postgres, postgres_settings: PostgresSettings
) -> None:
    async with TcpProxy(postgres.url) as proxy:
        far = postgres_settings.model_copy(update={"database_url": SecretStr(proxy.url)})
        outbox_listener = brisk_listener(far, check_seconds=0.05, answer_seconds=0.1)
        async with outbox_listener.running():
            await notified(outbox_listener, within=5)
            proxy.hold_responses()
            await asyncio.sleep(0.5)
            proxy.release_responses()
            await notified(outbox_listener, within=5)
            await write(ledger)
            await notified(outbox_listener, within=2)


async def test_waits_for_a_server_that_is_not_there_and_leaves_no_task_behind(
    ledger: PostgresStore, postgres: Postgres, postgres_settings: PostgresSettings
) -> None:
    before = asyncio.all_tasks()
    async with TcpProxy(postgres.url) as proxy:
        far = postgres_settings.model_copy(update={"database_url": SecretStr(proxy.url)})
        await proxy.disconnect()
        outbox_listener = brisk_listener(far)
        with capture_logs() as told:
            async with outbox_listener.running():
                await until(lambda: len(told) >= 3)
                await proxy.restore()
                await notified(outbox_listener, within=5)
                await write(ledger)
                await notified(outbox_listener, within=2)
    await until(lambda: asyncio.all_tasks() <= before)
