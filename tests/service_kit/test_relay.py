import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from service_kit import relay as relay_module
from service_kit.broker import Outcome, OutgoingMessage
from service_kit.events import CLOUDEVENTS_JSON, encode_event
from service_kit.fakes import FakeClock, MemoryBroker, MemoryOutbox
from service_kit.outbox import LEASE, MAX_ATTEMPTS, Backlog, OutboxEntry
from service_kit.relay import PARKED, WAITING, Relay
from tests.service_kit.stage import thing_happened, until


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


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of milliseconds instead of seconds."""
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 0.002)
    monkeypatch.setattr(relay_module, "_AFTER_ERROR_SECONDS", 0.002)
    monkeypatch.setattr(relay_module, "_COUNT_SECONDS", 0.002)


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
    return Relay(store, broker, clock)


def entry(clock: FakeClock, *, owner: str | None = None, lease_left: timedelta = LEASE) -> OutboxEntry:
    event = thing_happened()
    return OutboxEntry(
        event.id, owner or event.id, event.type, encode_event(event), clock.now + lease_left, "this process"
    )


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


async def test_publishes_at_once_what_was_just_written(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    (fresh,) = add(store, clock)
    async with relay.running():
        relay.hand_over(fresh)
        await until_empty(store)
    assert broker.messages == [OutgoingMessage(fresh.id, fresh.topic, fresh.body, CLOUDEVENTS_JSON)]


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
    monkeypatch.setattr(relay_module, "_CALLED_SECONDS", 0.05)
    add_due(store, clock, 100)
    (fresh,) = add(store, clock)
    relay.hand_over(fresh)
    async with relay.running():
        await until_empty(store)
        assert store.limits[0] < 20
        await until(lambda: store.limits[-1] > 100)


async def test_sweeps_at_once_when_it_is_woken(
    store: Store, broker: MemoryBroker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 1000)
    woken = asyncio.Event()
    async with Relay(store, broker, clock, woken=woken).running():
        for count in range(1, 4):
            add_due(store, clock)
            woken.set()
            await until(lambda count=count: len(broker.messages) == count, within=1)  # type: ignore[misc]


async def test_misses_no_wake_up_that_comes_while_it_looks(
    store: Store, broker: MemoryBroker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 1000)
    woken = asyncio.Event()
    claim = store.claim

    async def claim_and_then_something_comes(limit: int) -> Sequence[OutboxEntry]:
        claimed = await claim(limit)
        if not broker.messages:
            add_due(store, clock)
            woken.set()
        return claimed

    monkeypatch.setattr(store, "claim", claim_and_then_something_comes)
    async with Relay(store, broker, clock, woken=woken).running():
        await until(lambda: bool(broker.messages), within=1)


async def test_publishes_the_events_of_one_owner_in_their_order(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    left = add(store, clock, 5, owner="order", lease_left=timedelta(0))
    async with relay.running():
        await until_empty(store)
    assert ids(broker) == [one.id for one in left]


async def test_leaves_to_the_sweep_what_memory_cannot_hold(
    store: Store, broker: MemoryBroker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_REMEMBERED", 3)
    relay = Relay(store, broker, clock)
    fresh = add(store, clock, 5)
    for one in fresh:
        relay.hand_over(one)
    async with relay.running():
        await until(lambda: len(broker.messages) == 3)
        await until_waiting(store, 2)
        clock.advance(LEASE)
        await until_empty(store)
    assert sorted(ids(broker)) == sorted(one.id for one in fresh)


async def test_clears_with_one_write_what_was_confirmed_meanwhile(
    store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    cleared: list[int] = []
    clear = store.clear

    async def counted(entries: Sequence[OutboxEntry]) -> None:
        cleared.append(len(entries))
        await clear(entries)

    store.clear = counted  # type: ignore[method-assign]
    relay = Relay(store, broker, clock)
    async with relay.running():
        for one in add(store, clock, 20):
            relay.hand_over(one)
            await asyncio.sleep(0)  # so that several batches leave
        await until_empty(store)
    assert sum(cleared) == 20
    assert len(cleared) < 5


async def test_leaves_to_the_sweep_what_has_little_of_its_lease_left(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    (late,) = add(store, clock, lease_left=timedelta(seconds=5))
    (fresh,) = add(store, clock)
    async with relay.running():
        relay.hand_over(late)
        relay.hand_over(fresh)
        await until(lambda: bool(broker.messages))
        assert ids(broker) == [fresh.id]
        clock.advance(timedelta(seconds=5))
        await until_empty(store)
    assert ids(broker) == [fresh.id, late.id]


async def test_catches_up_when_the_broker_is_back(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    broker.stop()
    fresh, left = add(store, clock, 10), add_due(store, clock, 10)
    async with relay.running():
        for one in fresh:
            relay.hand_over(one)
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
        relay.hand_over(fresh)
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
        relay.hand_over(fresh)
        await until(lambda: store._firsts()[0].attempts == 1)
        assert not broker.messages
        clock.advance(timedelta(seconds=2))
        await until_empty(store)
    assert ids(broker) == [fresh.id]


async def test_settles_each_entry_of_a_batch_by_its_own_outcome(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    confirmed, refused, unknown = fresh = add(store, clock, 3)
    broker.answer([Outcome.CONFIRMED, Outcome.REFUSED, Outcome.UNKNOWN])
    for one in fresh:
        relay.hand_over(one)
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
        relay.hand_over(fresh)
        await until(lambda: bool(broker.messages))
        await asyncio.sleep(0.01)
        store.is_away = False
        assert await store.backlog() == Backlog(1, 0)
        clock.advance(LEASE)
        await until_empty(store)
    assert ids(broker) == [fresh.id, fresh.id]


async def test_publishes_together_what_has_gathered_meanwhile(store: Store, clock: FakeClock) -> None:
    broker = GatedBroker()
    relay = Relay(store, broker, clock)
    fresh = add(store, clock, 600)
    async with relay.running():
        relay.hand_over(fresh[0])
        await until(lambda: bool(broker.batches))
        for one in fresh[1:]:
            relay.hand_over(one)
        broker.gate.set()
        await until_empty(store)
    assert broker.batches == [1, 256, 256, 87]


async def test_gives_what_is_in_memory_a_moment_to_leave_at_the_end(store: Store, clock: FakeClock) -> None:
    broker = GatedBroker()
    relay = Relay(store, broker, clock)
    async with relay.running():
        for one in add(store, clock, 500):
            relay.hand_over(one)
        asyncio.get_running_loop().call_later(0.05, broker.gate.set)
    assert await store.backlog() == Backlog(0, 0)


async def test_ends_within_seconds_although_the_broker_is_away(
    relay: Relay, store: Store, broker: MemoryBroker, clock: FakeClock
) -> None:
    broker.stop()
    began = asyncio.get_running_loop().time()
    async with relay.running():
        for one in add(store, clock, 10):
            relay.hand_over(one)
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
            relay.hand_over(replace(entry(FakeClock()), owner="order"))
            raise RuntimeError("the block")
    assert asyncio.all_tasks() == before
    assert await store.backlog() == Backlog(0, 0)
