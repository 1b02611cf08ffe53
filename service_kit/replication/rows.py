"""Rows whose every field carries the stamp of its last edit: of two copies of a row, each field of the later edit wins.

This is "last writer wins" per field, by stamps of a hybrid logical clock. A service names its fields once, in order, as
a `msgspec.Struct` whose fields are all UNSET by default; a received event is checked against their types. This module
needs no database: `service_kit.replication.table` does the same in SQL.

A later version may append a field: its migration appends the stamp 1 to each row's stamps, on both sides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta

from service_kit.replication.hybrid_clock import NEVER, StampText, stamp_in, stamp_text

Fields = TypeVar("Fields", bound=msgspec.Struct)

Text = Annotated[str, Meta(pattern=r"^[^\x00]*\Z")]
"""Text that PostgreSQL can store: anything without a NUL character."""

Instant = Annotated[datetime, Meta(tz=True)]


@dataclass(frozen=True, slots=True)
class StampedRow:
    """One copy of a row, or a part of it.

    Attributes:
        values: One for each field, in the order of the fields; None where the stamp is 0.
        stamps: One for each field; 0 is a field that was never received.
    """

    id: UUID
    values: tuple[Any, ...]
    stamps: tuple[int, ...]


class FieldChanges(msgspec.Struct, Generic[Fields], frozen=True):
    """What changed together in one row: an entry of an event.

    Attributes:
        fields: The changed ones; all others are UNSET.
    """

    id: UUID
    stamp: StampText
    fields: Fields

    def given(self) -> dict[str, Any]:
        """The changed fields with their values."""
        return {name: value for name, value in msgspec.structs.asdict(self.fields).items() if value is not UNSET}

    def row(self) -> StampedRow:
        """The part of the row that has changed."""
        stamp, given = stamp_in(self.stamp), msgspec.structs.astuple(self.fields)
        return StampedRow(
            self.id,
            values=tuple(None if value is UNSET else value for value in given),
            stamps=tuple(NEVER if value is UNSET else stamp for value in given),
        )


class RawChanges(msgspec.Struct, frozen=True):
    """An event as it arrives: each change is decoded by itself, so that a malformed one does not stop the others."""

    changes: list[msgspec.Raw]


class RowsChanged(msgspec.Struct, Generic[Fields], frozen=True):
    """The data of an event; a row whose fields have several stamps has several entries."""

    changes: list[FieldChanges[Fields]]


def merged(ours: StampedRow, theirs: StampedRow) -> StampedRow:
    """Merge two copies of a row: of each field, the value with the later stamp. Equal stamps have equal values."""
    our_fields = zip(ours.stamps, ours.values, strict=True)
    their_fields = zip(theirs.stamps, theirs.values, strict=True)
    later = [max(pair, key=itemgetter(0)) for pair in zip(our_fields, their_fields, strict=True)]
    return StampedRow(ours.id, values=tuple(value for _, value in later), stamps=tuple(stamp for stamp, _ in later))


def rows_of(changes: Iterable[FieldChanges[Fields]]) -> list[StampedRow]:
    """Combine changes to one row each, sorted by id, so that all transactions lock rows in one order."""
    rows: dict[UUID, StampedRow] = {}
    for change in changes:
        row = change.row()
        rows[row.id] = merged(rows.get(row.id, row), row)
    return [rows[row_id] for row_id in sorted(rows) if any(rows[row_id].stamps)]


def changes_of(row: StampedRow, fields: type[Fields]) -> list[FieldChanges[Fields]]:
    """The changes that make up a whole row: one for each of its stamps, the earliest first."""
    stamped = list(zip(fields.__struct_fields__, row.values, row.stamps, strict=True))
    return [
        FieldChanges(row.id, stamp_text(stamp), fields(**{name: value for name, value, at in stamped if at == stamp}))
        for stamp in sorted(set(row.stamps) - {NEVER})
    ]


def change_to(row: StampedRow, new: Fields, stamp: int) -> FieldChanges[Fields] | None:
    """The change that gives a row new values (UNSET leaves a field as it is); None if that changes nothing.

    The stamp must be later than each of the row's: `clock.tick(after=max(row.stamps))`.
    """
    differing = {
        name: value
        for name, value, kept, at in zip(
            new.__struct_fields__, msgspec.structs.astuple(new), row.values, row.stamps, strict=True
        )
        if value is not UNSET and (value != kept or at == NEVER)
    }
    return FieldChanges(row.id, stamp_text(stamp), type(new)(**differing)) if differing else None
