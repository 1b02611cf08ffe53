"""Two databases that edit the same rows with clocks an hour apart, and hear of each other late, twice, in any order."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, json, structs

from service_kit.replication.hybrid_clock import HybridClock, stamp_in
from service_kit.replication.rows import FieldChanges, RowsChanged, StampedRow, change_to, merged, rows_of
from service_kit.testing.fakes import FakeClock
from tests.support.stamped_notes import IDS, NAMES, NoteFields, note, value_at

Edits = dict[tuple[UUID, str], dict[int, Any]]


@dataclass
class Side:
    node: int
    wall: FakeClock
    rows: dict[UUID, StampedRow] = field(default_factory=lambda: {row_id: note(row_id, 0, 0, 0, 0) for row_id in IDS})
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = HybridClock(self.node, self.wall)

    def edit(self, row_id: UUID, new: NoteFields) -> FieldChanges[NoteFields] | None:
        row = self.rows[row_id]
        change = change_to(row, new, self.clock.tick(after=max(row.stamps)))
        if change:
            self.rows[row_id] = merged(row, change.row())
            assert self.rows[row_id] == merged(change.row(), row), "an edit wins over all that its maker knew"
            self.sent.append(json.encode(RowsChanged([change])))
        return change

    def hear(self, message: bytes) -> None:
        data = json.decode(message, type=RowsChanged[NoteFields])
        for change in data.changes:
            self.clock.observe(stamp_in(change.stamp))
        for row in rows_of(data.changes):
            self.rows[row.id] = merged(self.rows[row.id], row)


def _wish(**places: int | None) -> NoteFields:
    fields: dict[str, Any] = {name: UNSET if at is None else value_at(name, at) for name, at in places.items()}
    return NoteFields(**fields)


wishes = st.builds(_wish, **{name: st.none() | st.integers(1, 6) for name in NAMES})
sides = st.integers(0, 1)
edits = st.tuples(st.just("edit"), sides, st.sampled_from(IDS), wishes)
hearings = st.tuples(st.just("hear"), sides, st.integers(0, 30))
waits = st.tuples(st.just("wait"), sides, st.timedeltas(timedelta(minutes=-5), timedelta(minutes=5)))
skews = st.timedeltas(timedelta(hours=-1), timedelta(hours=1))


def _note_edit(made: Edits, change: FieldChanges[NoteFields] | None) -> None:
    for name, value in structs.asdict(change.fields).items() if change else ():
        if value is not UNSET:
            assert change is not None
            stamps = made[change.id, name]
            assert stamp_in(change.stamp) not in stamps, "no two edits of a row share a stamp"
            stamps[stamp_in(change.stamp)] = value


def _play(pair: list[Side], steps: list[tuple[Any, ...]]) -> Edits:
    """Some of the messages arrive early, some twice, most not yet."""
    made: Edits = defaultdict(dict)
    for kind, at, *arguments in steps:
        side, other = pair[at], pair[1 - at]
        if kind == "edit":
            _note_edit(made, side.edit(*arguments))
        elif kind == "wait":
            side.wall.advance(*arguments)
        elif other.sent:
            side.hear(other.sent[arguments[0] % len(other.sent)])
    return made


@given(skews, st.lists(edits | hearings | waits, max_size=40), st.randoms(use_true_random=False))
def test_both_end_with_the_latest_edit_of_each_field(skew: timedelta, steps: list[Any], chance: Random) -> None:
    pair = [Side(1, FakeClock()), Side(2, FakeClock(FakeClock().now + skew))]
    made = _play(pair, steps)
    for side, other in (pair, reversed(pair)):
        for message in chance.sample(other.sent * 2, 2 * len(other.sent)):
            side.hear(message)
    assert pair[0].rows == pair[1].rows
    for (row_id, name), edits_of_field in made.items():
        assert pair[0].rows[row_id].values[NAMES.index(name)] == edits_of_field[max(edits_of_field)]
