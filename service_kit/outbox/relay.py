"""The relay: publishes the entries of an outbox, and clears each once the queue of every reader has it.

Two paths lead to the broker. Entries that this process has just stored are published from a queue in memory, in
batches. A sweep claims the rest from the store: entries of a process that died, and those that the broker refused.
Everything in memory is in the store too. A store that can notify of new entries wakes the sweep, and needs no queue.

Callers come first: while they enqueue entries, the sweep claims only small batches.
Source: docs/decisions/0014-callers-before-the-backlog.md
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
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
"""Batches that are published at the same time: one is written while another waits for its confirms."""
_BATCH_BESIDE_CALLERS: Final = 16
"""Entries that the sweep claims at once while callers are active: small batches leave room for their requests."""
_CALLED_SECONDS: Final = 1.0
"""Time after a caller's last entry in which callers count as active."""
_CLEARING_SECONDS: Final = 0.03
"""Time in which confirmed entries gather, so that one verdict and one write clear them: to the store, each clearing
costs as much as an insert."""
_LEASE_SECONDS: Final = LEASE.total_seconds()
_MARGIN_SECONDS: Final = 7.0
"""An entry with less of its lease left is not published: another process could claim it before the confirm arrives."""


_Accepted = list[tuple[int, OutboxEntry]]
"""Confirmed entries, each with the generation in which it was published."""


@dataclass(frozen=True, kw_only=True)
class RelayTuning:
    """How often a relay looks, and how much it holds in memory.

    Attributes:
        sweep_seconds: How often, about, the sweep looks while there is nothing.
        after_error_seconds: How long an error is waited out.
        count_seconds: How often what waits, and what is parked, is counted.
        queue_limit: Entries that wait in memory, at most; the sweep publishes the others.
        queue_limit_bytes: The size of their bodies, at most.
    """

    sweep_seconds: float = 1.0
    after_error_seconds: float = 2.0
    count_seconds: float = 15.0
    queue_limit: int = 10_000
    queue_limit_bytes: int = 16 * 1024 * 1024


USUAL_TUNING: Final = RelayTuning()


class Relay(Resource):
    """Publishes the entries of one outbox to one broker.

    Args:
        outbox: Where the entries are.
        broker: Where they go.
        clock: Monotonic seconds, from which the rest of a lease is computed, and how long ago somebody called.
        notified: Set when the outbox may have new entries; without it the sweep looks about once a second.
        tuning: How often it looks, and how much it holds.
    """

    def __init__(
        self,
        outbox: OutboxStore,
        broker: Broker,
        clock: Callable[[], float] = monotonic,
        *,
        notified: asyncio.Event | None = None,
        tuning: RelayTuning = USUAL_TUNING,
    ) -> None:
        self._outbox = outbox
        self._broker = broker
        self._clock = clock
        self._notified = notified or asyncio.Event()
        self._tuning = tuning
        self._queue: asyncio.Queue[OutboxEntry] = asyncio.Queue(tuning.queue_limit)
        self._accepted: _Accepted = []
        self._has_accepted = asyncio.Event()
        self._queued_bytes = 0
        self._called_at = -inf

    def enqueue(self, entry: OutboxEntry) -> None:
        """Publish an entry that was just stored. When the queue is full, the sweep publishes it later."""
        self._called_at = self._clock()
        if self._queued_bytes < self._tuning.queue_limit_bytes and not self._queue.full():
            self._queued_bytes += len(entry.body)
            self._queue.put_nowait(entry)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Relay while the block runs; at its end, give what is in memory a moment to leave."""
        steps = (*[self._publish_queued] * _IN_FLIGHT, self._sweep, self._clear, self._count)
        async with repeating(*steps, failure="relay_interrupted", again_seconds=self._tuning.after_error_seconds):
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
            self._accepted += accepted  # `self._accepted` may be another list after the await above, so append only now
            self._has_accepted.set()
        finally:
            for entry in batch:
                self._queued_bytes -= len(entry.body)
                self._queue.task_done()

    async def _sweep(self) -> None:
        await self._broker.connected()
        self._notified.clear()  # before looking, so that what arrives meanwhile wakes the next sweep
        is_called = self._clock() - self._called_at < _CALLED_SECONDS
        claimed = await self._outbox.claim(_BATCH_BESIDE_CALLERS if is_called else _BATCH)
        if claimed:
            await self._settle(
                await self._publish(claimed)
            )  # at once, because the next entry of the same owner waits for it
        else:
            await set_within(self._notified, self._tuning.sweep_seconds * random.uniform(0.5, 1.5))

    async def _clear(self) -> None:
        await self._has_accepted.wait()
        await asyncio.sleep(_CLEARING_SECONDS)
        await self._clear_accepted()

    async def _clear_accepted(self) -> None:
        accepted, self._accepted = self._accepted, []
        self._has_accepted.clear()
        await self._settle(accepted)

    async def _settle(self, accepted: _Accepted) -> None:
        """Clear the entries that are in the queue of every reader.

        If the store is away, they are published again when their lease ends.
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
        await asyncio.sleep(self._tuning.count_seconds)

    async def _publish(self, entries: Sequence[OutboxEntry]) -> _Accepted:
        """Publish entries, postpone the refused ones, and return the confirmed ones.

        An entry whose outcome is unknown (the connection broke) stays leased: the sweep takes it when the lease ends.
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
        """The entries with enough of their lease left; the sweep takes the others when it has ended."""
        began = self._clock() - _LEASE_SECONDS + _MARGIN_SECONDS
        return [entry for entry in entries if entry.lease_began > began]

    async def _refused(self, entries: Sequence[OutboxEntry]) -> None:
        await self._outbox.postpone(entries)
        most = max(entry.attempts for entry in entries) + 1
        log.warning("outbox_refused_by_broker", entries=len(entries), most_attempts=most, parked_after=MAX_ATTEMPTS)


def _message(entry: OutboxEntry) -> OutgoingMessage:
    return OutgoingMessage(id=entry.id, topic=entry.topic, body=entry.body, content_type=CLOUDEVENTS_JSON)
