"""What the server ends of its own accord, so that a process that stands still holds up nobody."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select, text

from service_kit.postgres.engine import make_engine, without_limits
from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.settings.stores import PostgresSettings
from tests.service_kit.conftest import ClientMaker
from tests.support.ledger import api
from tests.support.ledger.serving import serving
from tests.support.ledger.tables import PAYMENTS, SCHEMA

pytestmark = pytest.mark.usefixtures("clean_environment")

HASTY = {
    "database_statement_timeout_seconds": 3,
    "database_lock_timeout_seconds": 2,
    "database_idle_in_transaction_timeout_seconds": 1,
}


@pytest.fixture
async def hasty(ledger: PostgresStore) -> AsyncIterator[PostgresStore]:
    """The ledger's store with short limits."""
    store = PostgresStore(ledger.settings.model_copy(update=HASTY), SCHEMA)
    await store.prepare()
    yield store
    await store._close()


async def shown(store_settings: PostgresSettings) -> dict[str, str]:
    engine = make_engine(store_settings)
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT name, setting || coalesce(unit, '') FROM pg_settings"))).all()
    await engine.dispose()
    return {row.name: row[1] for row in rows}


async def test_every_connection_has_its_limits(ledger: PostgresStore) -> None:
    found = await shown(ledger.settings)

    assert (found["statement_timeout"], found["lock_timeout"]) == ("30000ms", "15000ms")
    assert found["idle_in_transaction_session_timeout"] == "10000ms"
    assert [found[f"tcp_keepalives_{name}"] for name in ("idle", "interval", "count")] == ["10s", "5s", "3"]


async def test_a_migration_may_take_its_time(ledger: PostgresStore) -> None:
    found = await shown(without_limits(ledger.settings))

    assert (found["statement_timeout"], found["lock_timeout"]) == ("0ms", "0ms")
    assert found["idle_in_transaction_session_timeout"] == "10000ms"


async def test_a_statement_that_takes_too_long_is_refused(hasty: PostgresStore) -> None:
    with pytest.raises(StoreUnavailableError, match="takes too long"):
        async with hasty.transaction() as session:
            await session.execute(text("SELECT pg_sleep(60)"))


async def test_who_waits_too_long_for_a_lock_is_refused_with_a_sentence(
    ledger: PostgresStore, hasty: PostgresStore, make_client: ClientMaker
) -> None:
    async with serving(api.build(hasty), make_client) as client, ledger.transaction() as session:
        await session.execute(PAYMENTS.insert().values(payer="ana", cents=1))
        answer = await client.post("/payments?payer=ana")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json()["detail"].startswith("Somebody else is changing what this needs")


async def test_a_transaction_that_stands_still_is_undone_and_gives_its_locks_back(hasty: PostgresStore) -> None:
    with pytest.raises(StoreUnavailableError):  # noqa: PT012 - the block is what raises
        async with hasty.transaction() as session:
            await session.execute(PAYMENTS.insert().values(payer="ana", cents=1))
            async with hasty.transaction() as other:  # waits for the first, and goes on when that is undone
                waiting = asyncio.create_task(other.execute(PAYMENTS.insert().values(payer="ana", cents=2)))
                await asyncio.wait({waiting}, timeout=5)
                assert waiting.done()
            # Here the first one wakes, and would commit.
    async with hasty.transaction() as session:
        assert (await session.scalars(select(PAYMENTS.c.cents))).all() == [2]


async def test_health_does_not_wait_for_a_busy_pool(ledger: PostgresStore, make_client: ClientMaker) -> None:
    async with serving(api.build(ledger), make_client) as client:
        ready = await _asked_while_busy(ledger, client)

    assert (ready.status_code, ready.json()["checks"]) == (200, {"postgres": "ok"})


async def _asked_while_busy(ledger: PostgresStore, client: httpx.AsyncClient) -> httpx.Response:
    async with asyncio.TaskGroup() as group:
        sleeping = [group.create_task(_sleep(ledger)) for _ in range(20)]
        while ledger.engine.pool.checkedout() < 15:  # type: ignore[attr-defined]  # noqa: ASYNC110 - a queue pool's
            await asyncio.sleep(0.01)
        ready = await client.get("/health/ready")
        for task in sleeping:
            task.cancel()
    return ready


async def _sleep(ledger: PostgresStore) -> None:
    async with ledger.transaction() as session:
        await session.execute(text("SELECT pg_sleep(60)"))
