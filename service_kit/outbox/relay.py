"""The relay: publishes what the outbox holds, and clears an entry only when every queue that is meant to has it.

Two paths lead to the broker. Entries that this process has just written come by hand, from memory, in batches. A sweep
claims what is left: entries of a process that died, and those that the broker refused. Memory is only a short cut:
nothing is in it that is not in the store. A store that can tell of new entries wakes the sweep instead.

Callers come first: while entries are handed over, the sweep takes small bites of what has gathered.
Source: docs/decisions/0014-callers-before-the-backlog.md
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from math import inf
from time import monotonic
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from service_kit.background import repeating, set_within
from service_kit.messaging.broker import Broker, Outcome, OutgoingMessage
from service_kit.messaging.events import CLOUDEVENTS_JSON
from service_kit.outbox.store import CLAIM_BYTES, LEASE, MAX_ATTEMPTS, OutboxEntry, OutboxStore
from service_kit.resources import Resource

log = structlog.get_logger()

RELAYED: Final = Counter("outbox_relayed_total", "Outbox entries by what the broker said.", ["outcome"])
WAITING: Final = Gauge("outbox_waiting", "Entries that wait for the broker.")
PARKED: Final = Gauge("outbox_parked", "Entries given up on; `python -m service_kit.commands.outbox` releases them.")

_BATCH: Final = 256
_IN_FLIGHT: Final = 4
"""Batches on their way at once, so that one is written while another waits for its confirms."""
_BATCH_BESIDE_CALLERS: Final = 16
"""What the sweep claims beside callers: between two of them they have their turn, here, at the store, at the broker."""
_CALLED_SECONDS: Final = 1.0
"""How long after a caller's entry the sweep still expects another one."""
_CLEARING_SECONDS: Final = 0.03
"""How long confirmed entries gather, so that one question and one write clear them: to the store each costs as much as
an insert."""
_QUEUE_LIMIT: Final = 10_000
_QUEUE_LIMIT_BYTES: Final = 16 * 1024 * 1024
"""Bounds on what waits in memory; the sweep publishes what is over them."""
_SWEEP_SECONDS: Final = 1.0
_AFTER_ERROR_SECONDS: Final = 2.0
_COUNT_SECONDS: Final = 15.0
_LEASE_SECONDS: Final = LEASE.total_seconds()
_MARGIN_SECONDS: Final = 7.0
"""An entry with less of its lease left is not begun: another process may claim it before the confirm is here."""


_Accepted = list[tuple[int, OutboxEntry]]
"""Entries that the broker has, each with the generation in which it was published."""


class Relay(Resource):
    """Carries entries from one outbox to one broker.

    Args:
        outbox: Where the entries are.
        broker: Where they go.
        clock: Seconds that only go on, whatever happens to the machine's date; tells how much of a lease is left.
        notified: Set whenever the outbox may have something new; without it the sweep looks about once a second.
    """

    def __init__(
        self,
        outbox: OutboxStore,
        broker: Broker,
        clock: Callable[[], float] = monotonic,
        *,
        notified: asyncio.Event | None = None,
    ) -> None:
        self._outbox = outbox
        self._broker = broker
        self._clock = clock
        self._notified = notified or asyncio.Event()
        self._queue: asyncio.Queue[OutboxEntry] = asyncio.Queue(_QUEUE_LIMIT)
        self._accepted: _Accepted = []
        self._has_accepted = asyncio.Event()
        self._queued_bytes = 0
        self._called_at = -inf

    def enqueue(self, entry: OutboxEntry) -> None:
        """Publish an entry that was just stored, soon. When memory is full the sweep does it instead."""
        self._called_at = monotonic()
        if self._queued_bytes < _QUEUE_LIMIT_BYTES and not self._queue.full():
            self._queued_bytes += len(entry.body)
            self._queue.put_nowait(entry)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Relay while the block runs; at its end, give what is in memory a moment to leave."""
        steps = (*[self._publish_queued] * _IN_FLIGHT, self._sweep, self._clear, self._count)
        async with repeating(*steps, failure="relay_interrupted", again_seconds=_AFTER_ERROR_SECONDS):
            yield
            await self._drain()

    async def _drain(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self._queue.join()
                await self._clear_accepted()

    async def _publish_queued(self) -> None:
        batch = [await self._queue.get()]
        try:
            await self._broker.connected()
            held = len(batch[0].body)
            while not self._queue.empty() and len(batch) < _BATCH and held < CLAIM_BYTES:
                batch.append(self._queue.get_nowait())
                held += len(batch[-1].body)
            accepted = await self._publish(batch)
            self._accepted += accepted  # in a line of its own: while the other waited the list was another one
            self._has_accepted.set()
        finally:
            for entry in batch:
                self._queued_bytes -= len(entry.body)
                self._queue.task_done()

    async def _sweep(self) -> None:
        await self._broker.connected()
        self._notified.clear()  # before looking: what comes meanwhile wakes the next one
        is_called = monotonic() - self._called_at < _CALLED_SECONDS
        claimed = await self._outbox.claim(_BATCH_BESIDE_CALLERS if is_called else _BATCH)
        if claimed:
            await self._settle(await self._publish(claimed))  # at once: the next one of the same owner waits for it
        else:
            await set_within(self._notified, _SWEEP_SECONDS * random.uniform(0.5, 1.5))

    async def _clear(self) -> None:
        await self._has_accepted.wait()
        await asyncio.sleep(_CLEARING_SECONDS)
        await self._clear_accepted()

    async def _clear_accepted(self) -> None:
        accepted, self._accepted = self._accepted, []
        self._has_accepted.clear()
        await self._settle(accepted)

    async def _settle(self, accepted: _Accepted) -> None:
        """Clear what every reader has.

        What is not cleared, because the store is away just now, is published again when its lease ends.
        """
        for generation in {generation for generation, _ in accepted}:
            entries = [entry for published_in, entry in accepted if published_in == generation]
            outcome = await self._broker.verdict(generation)
            RELAYED.labels(outcome.value).inc(len(entries))
            if outcome is Outcome.CONFIRMED:
                await self._outbox.clear(entries)
            elif outcome is Outcome.REFUSED:
                await self._refused(entries)

    async def _count(self) -> None:
        backlog = await self._outbox.backlog()
        WAITING.set(backlog.waiting)
        PARKED.set(backlog.parked)
        if backlog.parked:
            log.error("outbox_parked", entries=backlog.parked, release="python -m service_kit.commands.outbox")
        await asyncio.sleep(_COUNT_SECONDS)

    async def _publish(self, entries: Sequence[OutboxEntry]) -> _Accepted:
        """Publish; those that the broker has refused are postponed, and those that it has accepted are answered.

        An unknown outcome (the connection broke) leaves the entry leased: the sweep takes it when the lease ends.
        """
        entries = self._still_held(entries)
        if not entries:
            return []
        generation = self._broker.generation
        outcomes = await self._broker.publish([_message(entry) for entry in entries])
        by_outcome: dict[Outcome, list[OutboxEntry]] = {outcome: [] for outcome in Outcome}
        for entry, outcome in zip(entries, outcomes, strict=True):
            by_outcome[outcome].append(entry)
        for outcome in (Outcome.REFUSED, Outcome.UNKNOWN):
            RELAYED.labels(outcome.value).inc(len(by_outcome[outcome]))
        if by_outcome[Outcome.REFUSED]:
            await self._refused(by_outcome[Outcome.REFUSED])
        return [(generation, entry) for entry in by_outcome[Outcome.CONFIRMED]]

    def _still_held(self, entries: Sequence[OutboxEntry]) -> Sequence[OutboxEntry]:
        """Those with enough of their lease left; the sweep takes the others when it has ended."""
        began = self._clock() - _LEASE_SECONDS + _MARGIN_SECONDS
        return [entry for entry in entries if entry.lease_began > began]

    async def _refused(self, entries: Sequence[OutboxEntry]) -> None:
        await self._outbox.postpone(entries)
        most = max(entry.attempts for entry in entries) + 1
        log.warning("outbox_refused_by_broker", entries=len(entries), most_attempts=most, parked_after=MAX_ATTEMPTS)


def _message(entry: OutboxEntry) -> OutgoingMessage:
    return OutgoingMessage(id=entry.id, topic=entry.topic, body=entry.body, content_type=CLOUDEVENTS_JSON)
