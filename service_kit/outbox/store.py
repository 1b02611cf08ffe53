"""The outbox: an event is written with the change that caused it, and published afterwards by the relay.

This module defines an entry, and what a store of entries must do. It knows neither database nor broker.
`mongo/outbox.py` is the adapter that keeps entries inside MongoDB documents, `postgres/outbox.py` the one that keeps
them in a table; `testing/fakes.py` has one in memory.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final, Protocol

LEASE: Final = timedelta(seconds=15)
"""How long an entry belongs to the process that stored or claimed it; longer than publishing may take."""

CLAIM_BYTES: Final = 4 * 1024 * 1024
"""Bytes of the entries claimed at once, and of one batch to the broker, exceeded by one entry at most. A limit on their
number alone would allow hundreds of events of a megabyte."""

MAX_ATTEMPTS: Final = 18
"""Refusals after which an entry is parked: about an hour of them, see `backoff_seconds`."""

PARKED_UNTIL: Final = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
_MAX_BACKOFF_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An event that waits for the broker.

    Attributes:
        id: The event's id.
        owner: Key of the document or row that it was stored with; entries of one owner are published in their order.
        topic: The routing key.
        body: The encoded event.
        due_at: Until then it belongs to the holder of the lease; after that any process may claim it. By the clock of
            the store's server: the clock of a process may be wrong by an hour.
        lease: Token of the holder; a postponement counts only under the same token.
        attempts: Refusals by the broker so far.
        lease_began: In seconds of this process's `time.monotonic()`; the lease began then or later. So a holder
            computes the rest of it without a wall clock.
    """

    id: str
    owner: Any
    topic: str
    body: bytes
    due_at: datetime
    lease: str
    attempts: int = 0
    lease_began: float = field(default_factory=monotonic, compare=False)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Counts of entries: those that are due or leased, and those that are parked."""

    waiting: int
    parked: int


class NoOutboxError(Exception):
    """There is no outbox at this place, or its server cannot be asked; the message says which."""


class OutboxStore(Protocol):
    """Stores entries. All times are aware, and by the clock of the store's server."""

    async def claim(self, limit: int) -> Sequence[OutboxEntry]:
        """Lease up to `limit` due entries, those that have been due longest; of each owner only the oldest.

        Fewer are leased when they reach `CLAIM_BYTES` together.
        """

    async def clear(self, entries: Sequence[OutboxEntry]) -> None:
        """Remove entries that the broker has confirmed."""

    async def postpone(self, entries: Sequence[OutboxEntry]) -> None:
        """Count a refusal of each entry that is still leased under its token, and set when it is due again.

        One that was refused `MAX_ATTEMPTS` times is parked until somebody releases it.
        """

    async def backlog(self) -> Backlog:
        """Count what waits."""

    async def release_parked(self) -> int:
        """Make all parked entries due now, with no attempts counted; returns how many."""


def how_many_fit(sizes: Iterable[int]) -> int:
    """How many entries of these sizes are taken at once; see `CLAIM_BYTES`."""
    count = held = 0
    for size in sizes:
        if held >= CLAIM_BYTES:
            break
        count, held = count + 1, held + size
    return count


def backoff_seconds(refusals: int) -> float:
    """Wait before the next try of an entry.

    Args:
        refusals: So far, at least 1.

    Returns:
        1 to 300 seconds, doubled each time, with up to 10 % jitter so that processes do not retry at the same moment.
    """
    return min(2.0 ** (refusals - 1), _MAX_BACKOFF_SECONDS) * random.uniform(1.0, 1.1)


def wait_after_refusal(entry: OutboxEntry) -> timedelta | None:
    """How long an entry waits after one more refusal; None if it is parked."""
    refusals = entry.attempts + 1
    return None if refusals >= MAX_ATTEMPTS else timedelta(seconds=backoff_seconds(refusals))


def due_after_refusal(entry: OutboxEntry, now: datetime) -> datetime:
    """When an entry is due after one more refusal; `PARKED_UNTIL` if it is parked."""
    wait = wait_after_refusal(entry)
    return PARKED_UNTIL if wait is None else now + wait
