"""The events by which two services keep their copies of the same rows equal.

Whoever edits a row publishes what has changed; whoever receives it merges it, and publishes nothing in turn. A service
that may have lost rows asks the other one to publish all of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from service_kit.messaging.events import Event, new_event
from service_kit.replication.rows import FieldChanges, Fields, RowsChanged


class CopyRequested(msgspec.Struct, frozen=True):
    """Asks the receiver to publish all of its rows, because the sender may have lost some."""


class DigestReport(msgspec.Struct, frozen=True):
    """What the sender holds, in short: see `service_kit.replication.digest`."""

    count: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class ReplicationEvents:
    """The names of one side's events. Both sides use the same types.

    Attributes:
        source: Who we are in events: `/passengers_service`.
        changed: Type of the event with changed rows: `passenger.changed`.
        copy_requested: Type of the event that asks for all rows: `passenger.copy_requested`.
        compared: Type of the event with a digest: `passenger.copy_digest`.
    """

    source: str
    changed: str
    copy_requested: str
    compared: str

    def rows_changed(self, changes: Sequence[FieldChanges[Fields]], *, at: datetime) -> Event:
        """State what has changed, in at most 500 rows."""
        return new_event(self.changed, self.source, RowsChanged(list(changes)), at=at)

    def copy_request(self, *, at: datetime) -> Event:
        """Ask the other side for all of its rows."""
        return new_event(self.copy_requested, self.source, CopyRequested(), at=at)

    def digest_report(self, report: DigestReport, *, at: datetime) -> Event:
        """State what we hold."""
        return new_event(self.compared, self.source, report, at=at)
