"""Entries that somebody has left behind: the sweep finds them, in small bites while callers write."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from service_kit.outbox import relay as relay_module
from service_kit.outbox.relay import Relay
from service_kit.outbox.store import LEASE, OutboxEntry
from service_kit.testing.fakes import FakeClock, MemoryBroker
from tests.service_kit.outbox.relay.conftest import Store, add, add_due, ids, until_empty
from tests.support.rabbit_support import until


async def test_sweeps_up_what_another_process_has_left(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    left = add_due(store, clock, 1000)
    async with relay.running():
        await until_empty(store)
    assert sorted(ids(broker)) == sorted(one.id for one in left)


async def test_sweeps_in_small_bites_while_callers_write(
    relay: Relay, store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_due(store, clock, 100)
    (fresh,) = add(store, clock)
    relay.enqueue(fresh)
    async with relay.running():
        await until_empty(store)
        assert max(store.limits) < 20
        monkeypatch.setattr(relay_module, "_CALLED_SECONDS", 0.05)
        await until(lambda: store.limits[-1] > 100)


async def test_sweeps_at_once_when_it_is_woken(
    store: Store, broker: MemoryBroker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 1000)
    notified = asyncio.Event()
    async with Relay(store, broker, clock.seconds, notified=notified).running():
        for count in range(1, 4):
            add_due(store, clock)
            notified.set()
            await until(lambda count=count: len(broker.messages) == count)  # type: ignore[misc]


async def test_misses_no_wake_up_that_comes_while_it_looks(
    store: Store, broker: MemoryBroker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 1000)
    notified = asyncio.Event()
    claim = store.claim

    async def claim_and_then_something_comes(limit: int) -> Sequence[OutboxEntry]:
        claimed = await claim(limit)
        if not broker.messages:
            add_due(store, clock)
            notified.set()
        return claimed

    monkeypatch.setattr(store, "claim", claim_and_then_something_comes)
    async with Relay(store, broker, clock.seconds, notified=notified).running():
        await until(lambda: bool(broker.messages))


async def test_publishes_the_events_of_one_owner_in_their_order(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    left = add(store, clock, 5, owner="order", lease_left=timedelta(0))
    async with relay.running():
        await until_empty(store)
    assert ids(broker) == [one.id for one in left]


async def test_publishes_nothing_whose_lease_is_almost_over_when_the_store_answers(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (left,) = add_due(store, clock)
    claim, answers = store.claim, 0

    async def claim_slowly(limit: int) -> Sequence[OutboxEntry]:
        nonlocal answers
        claimed = await claim(limit)
        answers += 1
        if claimed:
            clock.advance(timedelta(seconds=10))
        return claimed

    monkeypatch.setattr(store, "claim", claim_slowly)
    async with relay.running():
        await until(lambda: answers > 1)
        assert not broker.messages
        monkeypatch.setattr(store, "claim", claim)
        clock.advance(LEASE)
        await until_empty(store)
    assert ids(broker) == [left.id]
