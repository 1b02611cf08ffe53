"""Reads changes that the other side has published, and refuses those that break a rule.

Whoever may publish at the broker could send anything, so a received change has to obey the rules of the API. One that
does not is refused by itself; the others of its event are applied.
"""

from collections.abc import Sequence
from typing import Final, Generic
from uuid import UUID

import msgspec
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.messaging.events import UndecodableEventError
from service_kit.replication.hybrid_clock import NEVER, HybridClock, stamp_in
from service_kit.replication.rows import FieldChanges, Fields, RawChanges
from service_kit.replication.table import ReplicatedTable

REFUSED: Final = Counter(
    "changes_refused_total", "Received changes that were not applied; their events are in the dead queue.", ["reason"]
)

_SHOWN: Final = 3

Refusals = list[str]
"""A sentence for each change that is refused."""


class RefusedChangesError(UndecodableEventError):
    """Some changes of an event break the rules; the others are applied. A replay tries all of them again."""

    def __init__(self, refused: Sequence[str], received: int) -> None:
        shown = "; ".join(refused[:_SHOWN]) + ("; …" if len(refused) > _SHOWN else "")
        super().__init__(f"{len(refused)} of {received} changes are refused, the others are applied: {shown}")


class Reader(Generic[Fields]):
    """Reads received changes of one replicated table."""

    def __init__(self, table: ReplicatedTable[Fields], clock: HybridClock) -> None:
        self._table = table
        self._clock = clock
        self._decode = msgspec.json.Decoder(FieldChanges[table.fields]).decode  # type: ignore[name-defined]  # made here

    def read(self, received: RawChanges) -> tuple[list[FieldChanges[Fields]], Refusals]:
        """The changes that obey the rules, observed by our clock, and a sentence for each of the others."""
        limit = self._clock.limit
        taken: list[FieldChanges[Fields]] = []
        refused: Refusals = []
        for raw in received.changes:
            try:
                taken.append(self._checked(self._decode(raw), limit))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                refused.append(refusal("undecodable", None, str(error)))
            except _RefusedError as error:
                refused.append(str(error))
        self._clock.observe(max((stamp_in(change.stamp) for change in taken), default=NEVER))
        return taken, refused

    def _checked(self, change: FieldChanges[Fields], limit: int) -> FieldChanges[Fields]:
        if stamp_in(change.stamp) >= limit:
            raise _RefusedError(refusal("stamp", change.id, f"the stamp {change.stamp} is too far ahead of our clock"))
        if broken := self._table.rules.broken_by(change):
            raise _RefusedError(refusal("rule", change.id, broken))
        return change

    async def without_revivals(
        self, session: AsyncSession, changes: Sequence[FieldChanges[Fields]]
    ) -> tuple[Sequence[FieldChanges[Fields]], Refusals]:
        """The changes but for those that would take a deletion back, and a sentence for each of these."""
        creations = {change.id for change in changes if getattr(change.fields, self._table.rules.deleted) is None}
        if not creations:
            return changes, []
        gone = {row.id: row.stamp for row in await session.execute(self._table.gone(creations))}
        revived = {id(change) for change in changes if self._revives(change, gone.get(change.id))}
        refused = [refusal("rule", change.id, "a deletion is for good") for change in changes if id(change) in revived]
        return [change for change in changes if id(change) not in revived], refused

    def _revives(self, change: FieldChanges[Fields], deleted: int | None) -> bool:
        is_alive = getattr(change.fields, self._table.rules.deleted) is None
        return deleted is not None and is_alive and stamp_in(change.stamp) > deleted


def refusal(reason: str, row_id: UUID | None, why: str) -> str:
    """Count a refused change; returns the sentence that says why."""
    REFUSED.labels(reason).inc()
    return f"{row_id or 'one'}: {why}"


class _RefusedError(Exception):
    pass
