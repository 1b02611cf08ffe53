"""A broker that is away, refuses, or does not say what became of an entry; and a store that is away."""

import asyncio
from datetime import timedelta

from structlog.testing import capture_logs

from service_kit.messaging.broker import Outcome
from service_kit.outbox.relay import PARKED, RELAYED, WAITING, Relay
from service_kit.outbox.store import LEASE, MAX_ATTEMPTS, Backlog
from service_kit.testing.fakes import FakeClock, MemoryBroker
from tests.service_kit.outbox.relay.conftest import Store, add, add_due, ids, until_empty
from tests.support.rabbit_support import until


async def test_catches_up_when_the_broker_is_back(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    broker.stop()
    fresh, left = add(store, clock, 10), add_due(store, clock, 10)
    async with relay.running():
        for one in fresh:
            relay.enqueue(one)
        await asyncio.sleep(0.01)
        assert await store.backlog() == Backlog(20, 0)
        broker.start()
        await until_empty(store)
    assert sorted(ids(broker)) == sorted(one.id for one in fresh + left)


async def test_leaves_an_entry_alone_while_nobody_knows_what_became_of_it(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    (fresh,) = add(store, clock)
    broker.answer([Outcome.UNKNOWN])
    async with relay.running():
        relay.enqueue(fresh)
        await asyncio.sleep(0.02)
        assert await store.backlog() == Backlog(1, 0)
        assert not broker.messages
        clock.advance(LEASE)
        await until_empty(store)
    assert ids(broker) == [fresh.id]


async def test_postpones_what_the_broker_refuses(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    (fresh,) = add(store, clock)
    broker.answer([Outcome.REFUSED])
    async with relay.running():
        relay.enqueue(fresh)
        await until(lambda: store._firsts()[0].attempts == 1)
        assert not broker.messages
        clock.advance(timedelta(seconds=2))
        await until_empty(store)
    assert ids(broker) == [fresh.id]


async def test_publishes_again_what_a_reader_has_missed_although_the_broker_took_it(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    (fresh,), (left,) = add(store, clock), add_due(store, clock)
    broker.judge([Outcome.REFUSED] * 2)
    confirmed = RELAYED.labels("confirmed")._value.get()
    async with relay.running():
        relay.enqueue(fresh)
        await until(lambda: [one.attempts for one in store._firsts()] == [1, 1])
        assert RELAYED.labels("confirmed")._value.get() == confirmed
        clock.advance(timedelta(seconds=2))
        await until_empty(store)
    assert sorted(ids(broker)) == sorted([fresh.id, left.id] * 2)
    assert RELAYED.labels("confirmed")._value.get() == confirmed + 2


async def test_leaves_an_entry_alone_while_nobody_knows_whether_its_readers_have_it(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    (fresh,) = add(store, clock)
    broker.judge([Outcome.UNKNOWN])
    async with relay.running():
        relay.enqueue(fresh)
        await until(lambda: not broker._verdicts)
        assert [one.attempts for one in store._firsts()] == [0]
        clock.advance(LEASE)
        await until_empty(store)
    assert ids(broker) == [fresh.id, fresh.id]


async def test_settles_each_entry_of_a_batch_by_its_own_outcome(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    confirmed, refused, unknown = fresh = add(store, clock, 3)
    broker.answer([Outcome.CONFIRMED, Outcome.REFUSED, Outcome.UNKNOWN])
    for one in fresh:
        relay.enqueue(one)
    async with relay.running():
        await until(lambda: [one.attempts for one in store._firsts()] == [1, 0])
    assert ids(broker) == [confirmed.id]
    assert [one.id for one in store._firsts()] == [refused.id, unknown.id]


async def test_parks_what_is_always_refused_and_tells_it(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    add_due(store, clock)
    broker.answer([Outcome.REFUSED] * MAX_ATTEMPTS)
    with capture_logs() as logs:
        async with relay.running():
            for attempts in range(1, MAX_ATTEMPTS + 1):
                await until(lambda attempts=attempts: store._firsts()[0].attempts == attempts)  # type: ignore[misc]
                clock.advance(timedelta(minutes=6))
            await until(lambda: PARKED._value.get() == 1)
    assert await store.backlog() == Backlog(0, 1)
    assert WAITING._value.get() == 0
    assert {"outbox_parked"} == {line["event"] for line in logs if line["log_level"] == "error"}
    assert not broker.messages


async def test_goes_on_when_the_store_is_back(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    store.is_away = True
    left = add_due(store, clock, 3)
    with capture_logs() as logs:
        async with relay.running():
            await until(lambda: any(line["event"] == "relay_interrupted" for line in logs))
            store.is_away = False
            await until_empty(store)
    assert sorted(ids(broker)) == sorted(one.id for one in left)


async def test_publishes_again_what_it_could_not_clear(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    (fresh,) = add(store, clock)
    store.is_away = True
    async with relay.running():
        relay.enqueue(fresh)
        await until(lambda: bool(broker.messages))
        await asyncio.sleep(0.01)
        store.is_away = False
        assert await store.backlog() == Backlog(1, 0)
        clock.advance(LEASE)
        await until_empty(store)
    assert ids(broker) == [fresh.id, fresh.id]
