"""A clock that was far ahead once: what it has stamped is refused by itself, and healed."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from service_kit.clock import utc_now
from service_kit.messaging.events import Event, UndecodableEventError, read_data
from service_kit.replication.healing import ClocksDifferError, CopyHeal
from service_kit.replication.hybrid_clock import HybridClock, RowTooFarAheadError, stamp_text
from service_kit.replication.rows import FieldChanges, RowsChanged
from tests.support.replicas import Side, new_note
from tests.support.stamped_notes import NOTES, NoteFields

NOTE = UUID(int=1)


def in_years(years: int, node: int = 1) -> str:
    return stamp_text(HybridClock(node, lambda: utc_now() + timedelta(days=366 * years)).tick())


async def edited_far_ahead(side: Side, body: str, *, years: int = 2) -> Event:
    return await side.edit([FieldChanges(NOTE, in_years(years), NoteFields(body=body))])


async def heal(side: Side) -> int:
    return await CopyHeal(side.copy, side.store, side.clock).run(utc_now())


async def contents(side: Side) -> object:
    async with side.store.transaction() as session:
        row = await NOTES.locked(session, NOTE)
    return row and NOTES.stamped(row)


async def both_have(sides: tuple[Side, Side], note: FieldChanges[NoteFields]) -> None:
    told = await sides[0].edit([note])
    await sides[1].hears([told])


async def test_takes_the_good_changes_of_an_event_of_which_one_is_too_far_ahead(sides: tuple[Side, Side]) -> None:
    left, right = sides
    far = FieldChanges(UUID(int=500), in_years(2), NoteFields(title="far"))
    event = left.copy.events.rows_changed([*(new_note(number) for number in range(1, 500)), far], at=utc_now())

    with pytest.raises(UndecodableEventError, match=r"^1 of 500 changes are refused, the others are applied: 0{8}-"):
        await right.hears([event])

    assert (await right.digest()).count == 499
    assert right.clock.tick() < right.clock.limit


async def test_tries_what_was_refused_again_when_its_event_is_replayed(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    left, right = sides
    far = FieldChanges(NOTE, in_years(2), NoteFields(title="far"))
    event = left.copy.events.rows_changed([far], at=utc_now())
    with pytest.raises(UndecodableEventError):
        await right.hears([event])
    monkeypatch.setattr(right.clock, "_max_ahead", timedelta(days=1000))

    await right.hears([event])

    assert (await right.digest()).count == 1


async def test_refuses_to_edit_a_row_that_is_too_far_ahead_and_goes_on_with_the_others(
    sides: tuple[Side, Side],
) -> None:
    left, _ = sides
    await left.edit([new_note(1)])
    await edited_far_ahead(left, "far")
    async with left.store.transaction() as session:
        row = await NOTES.locked(session, NOTE)

    assert row is not None
    with pytest.raises(RowTooFarAheadError):
        left.clock.tick(after=max(row.stamps))
    assert left.clock.tick() < left.clock.limit


@pytest.mark.parametrize("holders", [(0,), (0, 1)], ids=["one side", "both sides"])
async def test_both_sides_agree_on_a_healed_row_whoever_holds_the_far_stamp(
    sides: tuple[Side, Side], holders: tuple[int, ...]
) -> None:
    left, right = sides
    await both_have(sides, new_note(1))
    far = FieldChanges(NOTE, in_years(2), NoteFields(body="far"))
    for holder in holders:
        await sides[holder].edit([far])

    assert [await heal(side) for side in sides] == [1, len(holders) - 1]
    told = [await side.told() for side in sides]
    await right.hears(told[0])
    await left.hears(told[1])

    assert await contents(left) == await contents(right)
    assert await left.digest() == await right.digest()
    assert "far" in str(await contents(left))
    assert [await heal(side) for side in sides] == [0, 0]


async def test_what_is_healed_can_be_edited_and_keeps_its_maker(sides: tuple[Side, Side]) -> None:
    left, _ = sides
    made = FieldChanges(NOTE, in_years(2, node=7), NoteFields(title="t", body="b", due_on=None, deleted_at=None))
    await left.edit([made])

    await heal(left)

    [event] = await left.told()
    [change] = read_data(event, RowsChanged[NoteFields]).changes
    assert change.fields == made.fields
    assert int(change.stamp, 16) & 0xFF == 7
    assert left.clock.tick(after=int(change.stamp, 16)) < left.clock.limit


async def test_a_resync_leaves_out_what_would_be_refused(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.edit([new_note(1), new_note(2)])
    await edited_far_ahead(left, "far")

    await left.sync.publish_all()
    await right.hears(await left.told())

    assert (await right.digest()).count == 2


async def test_heals_nothing_by_a_clock_that_differs_from_the_servers(sides: tuple[Side, Side]) -> None:
    left, _ = sides
    wrong: datetime = utc_now() - timedelta(days=700)
    with pytest.raises(ClocksDifferError, match="Set the clocks right first"):
        await CopyHeal(left.copy, left.store, left.clock).run(wrong)


async def test_applies_the_rest_of_an_event_of_which_one_change_breaks_a_rule(sides: tuple[Side, Side]) -> None:
    left, right = sides
    broken = FieldChanges(UUID(int=2), stamp_text(2), NoteFields(title=""))

    with pytest.raises(UndecodableEventError, match="title: String should have at least 1 character"):
        await right.hears([left.copy.events.rows_changed([new_note(1), broken], at=utc_now())])

    assert (await right.digest()).count == 1


async def test_revives_nothing_that_was_deleted(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await both_have(sides, new_note(1))
    gone = FieldChanges(NOTE, stamp_text(5), NoteFields(deleted_at=utc_now()))
    await right.hears([await left.edit([gone])])
    revival = FieldChanges(NOTE, stamp_text(9), NoteFields(title="again", body=None, due_on=None, deleted_at=None))

    with pytest.raises(UndecodableEventError, match="a deletion is for good"):
        await right.hears([left.copy.events.rows_changed([revival], at=utc_now())])

    assert await right.digest() == await left.digest()
