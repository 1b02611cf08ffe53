"""A relay between a store that can be away and a broker in memory, and the entries that wait in the store."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from service_kit.messaging.broker import Outcome, OutgoingMessage
from service_kit.messaging.events import encode_event
from service_kit.outbox.relay import Relay, RelayTuning
from service_kit.outbox.store import LEASE, Backlog, OutboxEntry
from service_kit.testing.fakes import FakeClock, MemoryBroker, MemoryOutbox
from tests.support.rabbit_support import thing_happened, until

BRISK = RelayTuning(sweep_seconds=0.002, after_error_seconds=0.002, count_seconds=0.002)
"""Waits of milliseconds instead of seconds."""


class Store(MemoryOutbox):
    """A store that can be away."""

    is_away = False

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.limits: list[int] = []

    async def claim(self, limit: int) -> Sequence[OutboxEntry]:
        self._ask()
        self.limits.append(limit)
        return await super().claim(limit)

    async def clear(self, entries: Sequence[OutboxEntry]) -> None:
        self._ask()
        await super().clear(entries)

    def _ask(self) -> None:
        if self.is_away:
            raise ConnectionError("the store is away")


class GatedBroker(MemoryBroker):
    """A broker that answers only while its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.batches: list[int] = []

    async def publish(self, messages: Sequence[OutgoingMessage]) -> Sequence[Outcome]:
        self.batches.append(len(messages))
        await self.gate.wait()
        return await super().publish(messages)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> Store:
    return Store(clock)


@pytest.fixture
async def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
async def relay(store: Store, broker: MemoryBroker, clock: FakeClock) -> Relay:
    return Relay(store, broker, clock.seconds, tuning=BRISK)


def entry(clock: FakeClock, *, owner: str | None = None, lease_left: timedelta = LEASE) -> OutboxEntry:
    event = thing_happened()
    due_at, began = clock.now + lease_left, clock.seconds() - (LEASE - lease_left).total_seconds()
    body = encode_event(event)
    return OutboxEntry(event.id, owner or event.id, event.type, body, due_at, "this process", lease_began=began)


def add(
    store: Store, clock: FakeClock, count: int = 1, *, owner: str | None = None, lease_left: timedelta = LEASE
) -> list[OutboxEntry]:
    """Entries in the store: by default this process's own, fresh."""
    added = [entry(clock, owner=owner, lease_left=lease_left) for _ in range(count)]
    for one in added:
        store.add(one)
    return added


def add_due(store: Store, clock: FakeClock, count: int = 1) -> list[OutboxEntry]:
    """Entries that another process has left behind."""
    return add(store, clock, count, lease_left=timedelta(0))


async def until_empty(store: MemoryOutbox) -> None:
    await until_waiting(store, 0)


async def until_waiting(store: MemoryOutbox, count: int) -> None:
    async def is_so() -> bool:
        return await store.backlog() == Backlog(count, 0)

    await until(is_so)


def ids(broker: MemoryBroker) -> list[str]:
    return [message.id for message in broker.messages]
