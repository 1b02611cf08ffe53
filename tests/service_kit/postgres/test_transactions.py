"""A change and its event: both are there before the answer leaves, or neither."""

import asyncio

import pytest
from sqlalchemy import func, select, text

from service_kit.postgres.outbox import add_events
from service_kit.postgres.store import PostgresStore
from tests.service_kit.conftest import ClientMaker
from tests.support.ledger import api
from tests.support.ledger.serving import serving
from tests.support.ledger.tables import OUTBOX, PAYMENTS
from tests.support.rabbit_support import thing_happened

pytestmark = pytest.mark.usefixtures("clean_environment")


async def rows_of(ledger: PostgresStore) -> tuple[int, int]:
    """Payments and events."""
    async with ledger.engine.connect() as connection:
        payments = await connection.scalar(select(func.count()).select_from(PAYMENTS))
        events = await connection.scalar(select(func.count()).select_from(OUTBOX))
    return payments or 0, events or 0


async def test_a_change_and_its_event_are_there_before_the_answer_leaves(
    ledger: PostgresStore, make_client: ClientMaker
) -> None:
    seen: list[tuple[int, int]] = []
    app = api.build(ledger)

    async def watched(scope, receive, send):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - plain ASGI
        async def look(message):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - the same
            if message["type"] == "http.response.start" and scope["path"] == "/payments":
                seen.append(await rows_of(ledger))
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
    ledger: PostgresStore, make_client: ClientMaker, query: str, status: int
) -> None:
    async with serving(api.build(ledger), make_client) as client:
        await client.post("/payments?payer=ana")
        assert (await client.post(f"/payments?{query}")).status_code == status
        assert await rows_of(ledger) == (1, 1)
        assert (await client.post("/payments?payer=eve")).status_code == 201


async def test_a_transaction_rolls_back_with_its_block(ledger: PostgresStore) -> None:
    with pytest.raises(RuntimeError, match="the block"):  # noqa: PT012 - the block is what raises
        async with ledger.transaction() as session:
            await session.execute(PAYMENTS.insert().values(payer="ana", cents=1))
            await add_events(session, OUTBOX, [(thing_happened(), None)])
            raise RuntimeError("the block")
    assert await rows_of(ledger) == (0, 0)


async def test_a_request_whose_client_leaves_gives_its_connection_back(ledger: PostgresStore) -> None:
    async def slow() -> None:
        async with ledger.transaction() as session:
            await session.execute(text("SELECT pg_sleep(10)"))

    waiting = [asyncio.create_task(slow()) for _ in range(5)]
    await asyncio.sleep(0.2)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert ledger.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a queue pool's
    assert await rows_of(ledger) == (0, 0)
