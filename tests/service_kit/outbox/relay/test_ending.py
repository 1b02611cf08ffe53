"""How a relay ends: soon, with what memory still holds, and without a task left behind."""

import asyncio
from dataclasses import replace

import pytest

from service_kit.outbox.relay import Relay
from service_kit.outbox.store import Backlog
from service_kit.testing.fakes import FakeClock, MemoryBroker
from tests.service_kit.outbox.relay.conftest import BRISK, GatedBroker, Store, add, entry


async def test_gives_what_is_in_memory_a_moment_to_leave_at_the_end(store: Store, clock: FakeClock) -> None:
    broker = GatedBroker()
    relay = Relay(store, broker, clock.seconds, tuning=BRISK)
    async with relay.running():
        for one in add(store, clock, 500):
            relay.enqueue(one)
        asyncio.get_running_loop().call_later(0.05, broker.gate.set)
    assert await store.backlog() == Backlog(0, 0)


async def test_ends_within_seconds_although_the_broker_is_away(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    broker.stop()
    began = asyncio.get_running_loop().time()
    async with relay.running():
        for one in add(store, clock, 10):
            relay.enqueue(one)
    assert asyncio.get_running_loop().time() - began < 3
    assert await store.backlog() == Backlog(10, 0)


async def test_leaves_no_task_behind(relay: Relay, broker: MemoryBroker) -> None:
    broker.stop()
    before = asyncio.all_tasks()
    async with relay.running():
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) > len(before)
    assert asyncio.all_tasks() == before


async def test_ends_at_once_when_its_block_fails(relay: Relay, store: Store, broker: MemoryBroker) -> None:
    broker.stop()
    before = asyncio.all_tasks()
    with pytest.raises(RuntimeError, match="the block"):  # noqa: PT012 - the block is what raises
        async with relay.running():
            relay.enqueue(replace(entry(FakeClock()), owner="order"))
            raise RuntimeError("the block")
    assert asyncio.all_tasks() == before
    assert await store.backlog() == Backlog(0, 0)
