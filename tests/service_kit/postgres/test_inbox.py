import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from service_kit.messaging.events import Event
from service_kit.postgres.inbox import InboxPruning, first_seen
from service_kit.postgres.store import PostgresStore
from tests.support.ledger.tables import INBOX, PAYMENTS
from tests.support.rabbit_support import thing_happened, until


async def apply(ledger: PostgresStore, event: Event, *, fail: bool = False) -> bool:
    """Handle an event as a service does; whether it was new."""
    async with ledger.transaction() as session:
        if not await first_seen(session, INBOX, event):
            return False
        await session.execute(PAYMENTS.insert().values(payer="ana", cents=1, note=event.id))
        if fail:
            raise RuntimeError("the handler")
        return True


async def received(ledger: PostgresStore, *, days_ago: int) -> None:
    """An event that was applied some days ago by the server's clock."""
    async with ledger.transaction() as session:
        event = thing_happened()
        await first_seen(session, INBOX, event)
        past = {"received_at": INBOX.c.received_at - timedelta(days=days_ago)}
        await session.execute(update(INBOX).where(INBOX.c.identity == event.identity).values(past))


async def rows(ledger: PostgresStore, table_name: str) -> int:
    table = {"inbox": INBOX, "payments": PAYMENTS}[table_name]
    async with ledger.engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def test_applies_an_event_once_however_often_it_comes(ledger: PostgresStore) -> None:
    event = thing_happened()
    assert [await apply(ledger, event) for _ in range(3)] == [True, False, False]
    assert await apply(ledger, thing_happened())
    assert await rows(ledger, "payments") == 2


async def test_applies_it_once_also_when_it_comes_to_many_at_the_same_moment(ledger: PostgresStore) -> None:
    event = thing_happened()
    assert sum(await asyncio.gather(*(apply(ledger, event) for _ in range(10)))) == 1
    assert await rows(ledger, "payments") == 1


async def test_forgets_an_event_whose_change_was_rolled_back(ledger: PostgresStore) -> None:
    event = thing_happened()
    with pytest.raises(RuntimeError, match="the handler"):
        await apply(ledger, event, fail=True)
    assert (await rows(ledger, "inbox"), await rows(ledger, "payments")) == (0, 0)
    assert await apply(ledger, event)


async def test_forgets_what_is_older_than_two_weeks(ledger: PostgresStore) -> None:
    for days in (1, 13, 15, 400):
        await received(ledger, days_ago=days)
    pruning = InboxPruning(ledger.engine, INBOX)
    assert await pruning.prune() == 2
    assert await pruning.prune() == 0


async def test_prunes_in_the_background_until_nothing_old_is_left(ledger: PostgresStore) -> None:
    for _ in range(5):
        await received(ledger, days_ago=15)

    async def is_empty() -> bool:
        return await rows(ledger, "inbox") == 0

    async with InboxPruning(ledger.engine, INBOX, at_once=2).running():
        await until(is_empty)
