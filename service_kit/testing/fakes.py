"""Fakes for tests: a store, a broker and a clock in memory, which pass the same contract suites as the real ones."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from service_kit.clock import Clock
from service_kit.messaging.broker import Outcome, OutgoingMessage
from service_kit.outbox.store import LEASE, PARKED_UNTIL, Backlog, OutboxEntry, due_after_refusal, how_many_fit


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def seconds(self) -> float:
        """The time as a clock that only goes on has it."""
        return self.now.timestamp()

    def advance(self, by: timedelta) -> None:
        """Move the clock forward."""
        self.now += by


class MemoryOutbox:
    """An `OutboxStore` that keeps each owner's entries in a list."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_owner: dict[Any, list[OutboxEntry]] = {}

    def add(self, entry: OutboxEntry) -> None:
        """Store an entry, as the write of its owner would."""
        self._by_owner.setdefault(entry.owner, []).append(entry)

    async def claim(self, limit: int) -> Sequence[OutboxEntry]:
        """Lease due entries."""
        now, token = self._clock(), uuid4().hex
        due = sorted((entry for entry in self._firsts() if entry.due_at <= now), key=lambda entry: entry.due_at)
        began = now.timestamp()
        limit = min(limit, how_many_fit(len(entry.body) for entry in due))
        claimed = [replace(entry, due_at=now + LEASE, lease=token, lease_began=began) for entry in due[:limit]]
        for entry in claimed:
            self._by_owner[entry.owner][0] = entry
        return claimed

    async def clear(self, entries: Sequence[OutboxEntry]) -> None:
        """Forget confirmed entries."""
        ids = {entry.id for entry in entries}
        for owner in {entry.owner for entry in entries}:
            self._by_owner[owner] = [entry for entry in self._by_owner.get(owner, []) if entry.id not in ids]

    async def postpone(self, entries: Sequence[OutboxEntry]) -> None:
        """Set the next try of refused entries."""
        for entry in entries:
            waiting = self._by_owner.get(entry.owner)
            if waiting and (waiting[0].id, waiting[0].lease) == (entry.id, entry.lease):
                due_at = due_after_refusal(entry, self._clock())
                waiting[0] = replace(waiting[0], due_at=due_at, attempts=waiting[0].attempts + 1)

    async def backlog(self) -> Backlog:
        """Count what waits, by the first entry of each owner."""
        parked = sum(entry.due_at >= PARKED_UNTIL for entry in self._firsts())
        return Backlog(len(self._firsts()) - parked, parked)

    async def release_parked(self) -> int:
        """Let parked entries be tried again from the start."""
        parked = [entry for entry in self._firsts() if entry.due_at >= PARKED_UNTIL]
        for entry in parked:
            self._by_owner[entry.owner][0] = replace(entry, due_at=self._clock(), attempts=0)
        return len(parked)

    def _firsts(self) -> list[OutboxEntry]:
        return [entries[0] for entries in self._by_owner.values() if entries]


class MemoryBroker:
    """A `Broker` that keeps what it confirms, and can be told to go away or to answer otherwise.

    Attributes:
        messages: Everything confirmed so far, in order.
        generation: As every broker's.
    """

    def __init__(self) -> None:
        self.messages: list[OutgoingMessage] = []
        self.generation = 0
        self._verdicts: deque[Outcome] = deque()
        self._answers: deque[Outcome] = deque()
        self._up = asyncio.Event()
        self._up.set()

    def answer(self, outcomes: Iterable[Outcome]) -> None:
        """Answer the next messages so; after them everything is confirmed again."""
        self._answers.extend(outcomes)

    def judge(self, verdicts: Iterable[Outcome]) -> None:
        """Give these verdicts next; after them every reader has everything."""
        self._verdicts.extend(verdicts)

    def stop(self) -> None:
        """Go away."""
        self._up.clear()

    def start(self) -> None:
        """Come back."""
        self._up.set()

    async def connected(self) -> None:
        """Return once the broker is there."""
        await self._up.wait()

    async def publish(self, messages: Sequence[OutgoingMessage]) -> Sequence[Outcome]:
        """Take messages."""
        return [self._take(message) for message in messages]

    async def verdict(self, generation: int) -> Outcome:  # noqa: ARG002 - as every broker's
        """Say what became of what was confirmed."""
        return self._verdicts.popleft() if self._verdicts else Outcome.CONFIRMED

    def _take(self, message: OutgoingMessage) -> Outcome:
        if not self._up.is_set():
            return Outcome.UNKNOWN
        outcome = self._answers.popleft() if self._answers else Outcome.CONFIRMED
        if outcome is Outcome.CONFIRMED:
            self.messages.append(message)
        return outcome
