from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.clock import utc_now
from service_kit.messaging.events import Event, UndecodableEventError, new_event, read_data
from service_kit.replication.hybrid_clock import stamp_text
from service_kit.replication.rows import FieldChanges, RowsChanged, StampedRow, change_to, changes_of, merged, rows_of
from tests.support.stamped_notes import IDS, NoteFields, change, copies_of, note, value_at

ID = IDS[0]
copies = copies_of(st.just(ID))
BLANK = note(ID, 0, 0, 0, 0)


def _event(*changes: FieldChanges[NoteFields]) -> Event:
    return new_event("note.changed", "/notes", RowsChanged(list(changes)), at=utc_now())


def _read(*entries: dict[str, Any]) -> RowsChanged[NoteFields]:
    data = msgspec.Raw(msgspec.json.encode({"changes": entries}))
    return read_data(Event(id="1", source="/others", type="note.changed", data=data), RowsChanged[NoteFields])


@given(copies, copies)
def test_merging_is_commutative(one: StampedRow, other: StampedRow) -> None:
    assert merged(one, other) == merged(other, one)


@given(copies, copies, copies)
def test_merging_is_associative(one: StampedRow, other: StampedRow, third: StampedRow) -> None:
    assert merged(merged(one, other), third) == merged(one, merged(other, third))


@given(copies, copies)
def test_merging_again_changes_nothing(one: StampedRow, other: StampedRow) -> None:
    assert merged(merged(one, other), other) == merged(one, other)


def test_edits_of_different_fields_both_survive() -> None:
    assert merged(note(ID, 5, 1, 1, 1), note(ID, 1, 1, 4, 1)) == note(ID, 5, 1, 4, 1)


def test_a_late_edit_does_not_revive_a_deleted_row() -> None:
    deleted = merged(note(ID, 1, 1, 1, 1), note(ID, 0, 0, 0, 2))
    assert merged(deleted, note(ID, 5, 0, 0, 0)).values[3] == value_at("deleted_at", 2)


def test_tells_a_row_by_an_entry_for_each_stamp() -> None:
    assert changes_of(note(ID, 4, 1, 4, 0), NoteFields) == [
        change(ID, 1, body="body 1"),
        change(ID, 4, title="title 4", due_on=value_at("due_on", 4)),
    ]


@given(st.lists(copies_of(st.sampled_from(IDS)), unique_by=lambda row: row.id), st.randoms(use_true_random=False))
def test_rows_survive_being_told_in_any_order(rows: list[StampedRow], chance: Random) -> None:
    entries = [entry for row in rows for entry in changes_of(row, NoteFields)] * 2
    chance.shuffle(entries)
    told = read_data(_event(*entries), RowsChanged[NoteFields])
    assert rows_of(told.changes) == sorted((row for row in rows if any(row.stamps)), key=lambda row: row.id)


def test_an_event_tells_only_what_changed() -> None:
    event = _event(change(ID, 255, body=None))
    told = (
        b'{"changes":[{"id":"00000000-0000-0000-0000-000000000001","stamp":"00000000000000ff","fields":{"body":null}}]}'
    )
    assert bytes(event.data) == told


def test_passes_over_fields_that_it_does_not_know() -> None:
    entries = [{"id": str(ID), "stamp": stamp_text(2), "fields": {"colour": "red"}, "why": 1}]
    entries += [{"id": str(IDS[1]), "stamp": stamp_text(2), "fields": {"colour": "red", "title": "title 2"}}]
    assert rows_of(_read(*entries).changes) == [note(IDS[1], 2, 0, 0, 0)]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": None},
        {"title": "nul\0"},
        {"body": 1},
        {"due_on": "2026-02-30"},
        {"deleted_at": "2026-01-01T00:00:00"},
    ],
)
def test_refuses_a_value_that_the_field_cannot_have(fields: dict[str, Any]) -> None:
    with pytest.raises(UndecodableEventError):
        _read({"id": str(ID), "stamp": stamp_text(1), "fields": fields})


@pytest.mark.parametrize("entry", [{"id": "x"}, {"stamp": "zz"}, {"stamp": 5}, {"fields": None}])
def test_refuses_an_entry_that_is_none(entry: dict[str, Any]) -> None:
    with pytest.raises(UndecodableEventError):
        _read({"id": str(ID), "stamp": stamp_text(1), "fields": {}} | entry)


def test_a_wish_changes_only_the_fields_that_differ() -> None:
    new = NoteFields(title="title 1", body=None, deleted_at=datetime(2026, 2, 1, tzinfo=UTC))
    expected = change(ID, 9, body=None, deleted_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert change_to(note(ID, 1, 1, 1, 1), new, 9) == expected


def test_a_wish_for_what_is_there_changes_nothing() -> None:
    assert change_to(note(ID, 1, 3, 1, 1), NoteFields(title="title 1", body=None), 9) is None


def test_a_wish_sets_a_field_to_nothing_that_was_never_set() -> None:
    assert change_to(BLANK, NoteFields(title="a", body=None), 9) == change(ID, 9, title="a", body=None)
