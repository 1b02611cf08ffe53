import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest
from sqlalchemy import func, select, text

from service_kit.clock import utc_now
from service_kit.messaging.broker import OutgoingMessage
from service_kit.messaging.events import CLOUDEVENTS_JSON, Event, encode_event
from service_kit.outbox.relay import Relay, RelayTuning
from service_kit.outbox.store import LEASE, Backlog
from service_kit.postgres.listener import OutboxListener
from service_kit.postgres.outbox import PostgresOutbox, add_events
from service_kit.postgres.store import PostgresStore
from service_kit.settings.stores import PostgresSettings
from service_kit.testing.fakes import MemoryBroker
from tests.support.ledger.tables import OUTBOX, PAYMENTS
from tests.support.rabbit_support import thing_happened, until


@pytest.fixture
def outbox(ledger: PostgresStore) -> PostgresOutbox:
    return PostgresOutbox(ledger.engine, OUTBOX)


async def write(ledger: PostgresStore, *events: Event, owner: str | None = None) -> None:
    async with ledger.transaction() as session:
        await add_events(session, OUTBOX, [(event, owner) for event in events])


async def test_an_event_is_due_as_soon_as_its_change_is_committed(
    ledger: PostgresStore, outbox: PostgresOutbox
) -> None:
    event = thing_happened()
    async with ledger.transaction() as session:
        await session.execute(PAYMENTS.insert().values(payer="ana", cents=1))
        await add_events(session, OUTBOX, [(event, "ana")])
        assert not await outbox.claim(10)
    (entry,) = await outbox.claim(10)
    assert (entry.id, entry.owner, entry.topic, entry.body) == (event.id, "ana", event.type, encode_event(event))


async def test_events_without_an_owner_need_not_wait_for_each_other(
    ledger: PostgresStore, outbox: PostgresOutbox
) -> None:
    events = [thing_happened() for _ in range(5)]
    await write(ledger, *events)
    assert await outbox.backlog() == Backlog(waiting=5, parked=0)
    assert [entry.id for entry in await outbox.claim(10)] == [event.id for event in events]


async def test_no_event_is_no_row_and_no_wake_up(ledger: PostgresStore) -> None:
    await write(ledger)
    async with ledger.engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(OUTBOX)) == 0


async def test_passes_over_what_another_claimant_has_in_its_hands(
    ledger: PostgresStore, outbox: PostgresOutbox
) -> None:
    events = [thing_happened() for _ in range(3)]
    await write(ledger, *events)
    async with ledger.engine.begin() as other:
        await other.execute(select(OUTBOX).where(OUTBOX.c.id == events[0].id).with_for_update())
        async with asyncio.timeout(2):
            assert [entry.id for entry in await outbox.claim(10)] == [event.id for event in events[1:]]


def put_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put this process's clock, not the server's, an hour ahead."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(hours=1)

    monkeypatch.setattr("service_kit.clock.datetime", Ahead)
    assert utc_now() > datetime.now(UTC) + timedelta(minutes=59)


async def test_a_process_an_hour_ahead_takes_nothing_that_another_holds(
    ledger: PostgresStore, outbox: PostgresOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(ledger, thing_happened())
    assert len(await outbox.claim(10)) == 1
    put_ahead(monkeypatch)
    assert not await PostgresOutbox(ledger.engine, OUTBOX).claim(10)


async def test_what_a_process_an_hour_ahead_has_written_and_leased_is_due_like_all_else(
    ledger: PostgresStore, outbox: PostgresOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_ahead(monkeypatch)
    await write(ledger, thing_happened(), thing_happened())
    leased, refused = await outbox.claim(10)
    await outbox.postpone([refused])
    monkeypatch.undo()
    async with ledger.engine.connect() as connection:
        rows = await connection.execute(select(OUTBOX.c.id, OUTBOX.c.due_at - func.now()))
    waits = {row[0]: row[1] for row in rows}
    assert timedelta(seconds=10) < waits[leased.id] <= LEASE
    assert waits[refused.id] < timedelta(seconds=2)


async def test_claims_quickly_from_a_hundred_thousand(ledger: PostgresStore, outbox: PostgresOutbox) -> None:
    many = text("""
        INSERT INTO outbox (id, owner, topic, body, due_at)
        SELECT gen_random_uuid(), 'payer' || number % 50000, 'thing.happened', '{}', now() - interval '1 second'
        FROM generate_series(1, 100000) number
    """)
    async with ledger.engine.begin() as connection:
        await connection.execute(many)
    loop = asyncio.get_running_loop()
    began = loop.time()
    claimed = [len(await outbox.claim(256)) for _ in range(10)]
    assert claimed == [256] * 10
    assert loop.time() - began < 2


async def test_a_relay_delivers_at_once_what_is_committed(
    ledger: PostgresStore, postgres_settings: PostgresSettings, outbox: PostgresOutbox
) -> None:
    broker, outbox_listener = MemoryBroker(), OutboxListener(postgres_settings)
    async with outbox_listener.running(), AsyncExitStack() as stack:
        await until(outbox_listener.notified.is_set)  # by the first look; the relay, which clears it, comes afterwards
        relay = Relay(outbox, broker, notified=outbox_listener.notified, tuning=RelayTuning(sweep_seconds=1000))
        await stack.enter_async_context(relay.running())
        await until(lambda: not outbox_listener.notified.is_set())
        for number in range(1, 4):
            event = thing_happened()
            await write(ledger, event, owner="ana")
            await until(lambda number=number: len(broker.messages) == number, within=10)  # type: ignore[misc]
            assert broker.messages[-1] == OutgoingMessage(event.id, event.type, encode_event(event), CLOUDEVENTS_JSON)

        async def is_empty() -> bool:
            return await outbox.backlog() == Backlog(0, 0)

        await until(is_empty)
