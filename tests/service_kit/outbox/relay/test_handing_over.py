"""Entries that this process has just written: they leave from memory, together, and are cleared together."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from service_kit.messaging.broker import OutgoingMessage
from service_kit.messaging.events import CLOUDEVENTS_JSON
from service_kit.outbox.relay import Relay
from service_kit.outbox.store import CLAIM_BYTES, LEASE, OutboxEntry
from service_kit.testing.fakes import FakeClock, MemoryBroker
from tests.service_kit.outbox.relay.conftest import BRISK, GatedBroker, Store, add, ids, until_empty, until_waiting
from tests.support.rabbit_support import until


async def test_publishes_at_once_what_was_just_written(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    (fresh,) = add(store, clock)
    async with relay.running():
        relay.enqueue(fresh)
        await until_empty(store)
    assert broker.messages == [OutgoingMessage(fresh.id, fresh.topic, fresh.body, CLOUDEVENTS_JSON)]


async def test_publishes_together_what_has_gathered_meanwhile(store: Store, clock: FakeClock) -> None:
    broker = GatedBroker()
    relay = Relay(store, broker, clock.seconds, tuning=BRISK)
    fresh = add(store, clock, 600)
    async with relay.running():
        relay.enqueue(fresh[0])
        await until(lambda: bool(broker.batches))
        for one in fresh[1:]:
            relay.enqueue(one)
        broker.gate.set()
        await until_empty(store)
    assert broker.batches == [1, 256, 256, 87]


async def test_clears_with_one_write_what_was_confirmed_meanwhile(
    store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    cleared: list[int] = []
    clear = store.clear

    async def counted(entries: Sequence[OutboxEntry]) -> None:
        cleared.append(len(entries))
        await clear(entries)

    store.clear = counted  # type: ignore[method-assign]
    relay = Relay(store, broker, clock.seconds, tuning=BRISK)
    async with relay.running():
        for one in add(store, clock, 20):
            relay.enqueue(one)
            await asyncio.sleep(0)  # so that several batches leave
        await until_empty(store)
    assert sum(cleared) == 20
    assert len(cleared) < 5


async def test_leaves_to_the_sweep_what_memory_cannot_hold(
    store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    relay = Relay(store, broker, clock.seconds, tuning=replace(BRISK, queue_limit=3))
    fresh = add(store, clock, 5)
    for one in fresh:
        relay.enqueue(one)
    async with relay.running():
        await until(lambda: len(broker.messages) == 3)
        await until_waiting(store, 2)
        clock.advance(LEASE)
        await until_empty(store)
    assert sorted(ids(broker)) == sorted(one.id for one in fresh)


async def test_publishes_large_entries_in_small_batches(store: Store, clock: FakeClock) -> None:
    broker = GatedBroker()
    relay = Relay(store, broker, clock.seconds, tuning=BRISK)
    fresh = [replace(one, body=b"x" * (CLAIM_BYTES // 3 + 1)) for one in add(store, clock, 9)]
    async with relay.running():
        relay.enqueue(fresh[0])
        await until(lambda: bool(broker.batches))
        for one in fresh[1:]:
            relay.enqueue(one)
        broker.gate.set()
        await until_empty(store)
    assert broker.batches == [1, 3, 3, 2]


async def test_leaves_to_the_sweep_what_would_take_too_much_memory(
    store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    relay = Relay(store, broker, clock.seconds, tuning=replace(BRISK, queue_limit_bytes=1))
    first, second = add(store, clock, 2)
    relay.enqueue(first)
    relay.enqueue(second)
    async with relay.running():
        await until_waiting(store, 1)
        assert ids(broker) == [first.id]
        (third,) = add(store, clock)
        relay.enqueue(third)
        await until(lambda: ids(broker) == [first.id, third.id])


async def test_leaves_to_the_sweep_what_has_little_of_its_lease_left(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    (late,) = add(store, clock, lease_left=timedelta(seconds=5))
    (fresh,) = add(store, clock)
    async with relay.running():
        relay.enqueue(late)
        relay.enqueue(fresh)
        await until(lambda: bool(broker.messages))
        assert ids(broker) == [fresh.id]
        clock.advance(timedelta(seconds=5))
        await until_empty(store)
    assert ids(broker) == [fresh.id, late.id]
