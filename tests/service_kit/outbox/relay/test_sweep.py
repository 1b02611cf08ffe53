"""Entries that somebody has left behind: the sweep finds them, in small bites while callers write."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from service_kit.outbox.relay import Relay, RelayTuning
from service_kit.outbox.store import LEASE, OutboxEntry
from service_kit.testing.fakes import FakeClock, MemoryBroker
from tests.service_kit.outbox.relay.conftest import BRISK, Store, add, add_due, ids, until_empty
from tests.support.rabbit_support import until


async def test_sweeps_up_what_another_process_has_left(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    left = add_due(store, clock, 1000)
    async with relay.running():
        await until_empty(store)
    assert sorted(ids(broker)) == sorted(one.id for one in left)


async def test_sweeps_in_small_bites_while_callers_write(relay: Relay, store: Store, clock: FakeClock) -> None:
    add_due(store, clock, 100)
    (fresh,) = add(store, clock)
    relay.enqueue(fresh)
    async with relay.running():
        await until_empty(store)
        assert max(store.limits) < 20
        clock.advance(timedelta(seconds=1))
        await until(lambda: store.limits[-1] > 100)


async def test_sweeps_at_once_when_it_is_woken(store: Store, broker: MemoryBroker, clock: FakeClock) -> None:
    notified = asyncio.Event()
    async with Relay(store, broker, clock.seconds, notified=notified, tuning=RelayTuning(sweep_seconds=1000)).running():
        for count in range(1, 4):
            add_due(store, clock)
            notified.set()
            await until(lambda count=count: len(broker.messages) == count)  # type: ignore[misc]


async def test_misses_no_wake_up_that_comes_while_it_looks(broker: MemoryBroker, clock: FakeClock) -> None:
    notified = asyncio.Event()

    class BusyStore(Store):
        async def claim(self, limit: int) -> Sequence[OutboxEntry]:
            claimed = await super().claim(limit)
            if not broker.messages:
                add_due(self, clock)
                notified.set()
            return claimed

    store = BusyStore(clock)
    async with Relay(store, broker, clock.seconds, notified=notified, tuning=RelayTuning(sweep_seconds=1000)).running():
        await until(lambda: bool(broker.messages))


async def test_publishes_the_events_of_one_owner_in_their_order(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    left = add(store, clock, 5, owner="order", lease_left=timedelta(0))
    async with relay.running():
        await until_empty(store)
    assert ids(broker) == [one.id for one in left]


async def test_publishes_nothing_whose_lease_is_almost_over_when_the_store_answers(
    broker: MemoryBroker, clock: FakeClock
) -> None:
    class SlowStore(Store):
        delays = True

        async def claim(self, limit: int) -> Sequence[OutboxEntry]:
            claimed = await super().claim(limit)
            if claimed and self.delays:
                clock.advance(timedelta(seconds=10))
            return claimed

    store = SlowStore(clock)
    (left,) = add_due(store, clock)
    async with Relay(store, broker, clock.seconds, tuning=BRISK).running():
        await until(lambda: len(store.limits) > 1)
        assert not broker.messages
        store.delays = False
        clock.advance(LEASE)
        await until_empty(store)
    assert ids(broker) == [left.id]
