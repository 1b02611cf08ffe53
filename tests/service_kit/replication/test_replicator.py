"""What two copies tell each other, and what each makes of it."""

import asyncio
from uuid import UUID

import pytest

from service_kit.clock import utc_now
from service_kit.messaging.events import UndecodableEventError, read_data
from service_kit.replication import replicator as copy_sync
from service_kit.replication.hybrid_clock import stamp_text
from service_kit.replication.rows import FieldChanges, RowsChanged
from tests.support.replicas import Side, new_note
from tests.support.stamped_notes import NoteFields, change


async def test_what_one_side_tells_the_other_has(sides: tuple[Side, Side]) -> None:
    left, right = sides
    told = [await left.edit([new_note(1)]), await left.edit([change(UUID(int=1), 9, body="new")])]

    await right.hears(told)

    assert await right.digest() == await left.digest()


async def test_the_order_and_repeats_make_no_difference(sides: tuple[Side, Side]) -> None:
    left, right = sides
    told = [await left.edit([new_note(1)]), await left.edit([change(UUID(int=1), 9, body="new")])]

    await right.hears([*reversed(told), *told])

    assert await right.digest() == await left.digest()
    assert right.merges == 2


async def test_what_is_heard_is_not_told_again(sides: tuple[Side, Side]) -> None:
    left, right = sides

    await right.hears([await left.edit([new_note(1)])])

    assert await right.told() == []


async def test_passes_over_what_it_has_told_itself(sides: tuple[Side, Side]) -> None:
    left, _ = sides

    await left.hears(
        [left.copy.events.rows_changed([new_note(1)], at=utc_now()), left.copy.events.copy_request(at=utc_now())]
    )

    assert ((await left.digest()).count, left.merges, await left.told()) == (0, 0, [])


async def test_stamps_later_than_what_it_has_heard(sides: tuple[Side, Side]) -> None:
    left, right = sides
    ahead = left.clock.tick() + (1 << 40)

    early = FieldChanges(UUID(int=1), stamp_text(ahead), NoteFields(title="a"))
    await right.hears([left.copy.events.rows_changed([early], at=utc_now())])

    assert right.clock.tick() > ahead


async def test_refuses_for_good_what_would_spoil_its_clock(sides: tuple[Side, Side]) -> None:
    left, right = sides
    spoilt = FieldChanges(UUID(int=1), "7fffffffffffffff", NoteFields(title="a"))

    with pytest.raises(UndecodableEventError):
        await right.hears([left.copy.events.rows_changed([spoilt], at=utc_now())])


@pytest.mark.parametrize("asking", [0, 1])
async def test_a_resync_on_either_side_restores_whichever_copy_was_lost(sides: tuple[Side, Side], asking: int) -> None:
    whole, lost = sides
    await whole.edit([new_note(number) for number in range(1, 1201)])
    await whole.edit([change(UUID(int=7), 5000, body="later")])
    one, other = sides[asking], sides[1 - asking]
    heights: list[int] = []

    rows = await one.sync.resync(heights.append)
    asked = await one.told()
    await other.hears(asked)
    assert await other.sync.requests.answer()
    await one.hears(await other.told())

    assert await lost.digest() == await whole.digest()
    assert (await whole.digest()).count == 1200
    assert (rows, heights) == ((1200, [500, 1000, 1200]) if one is whole else (0, []))
    assert [event.type for event in asked].count("note.copy_requested") == 1
    assert [await side.told() for side in sides] == [[], []]


async def test_tells_at_most_500_rows_an_event(sides: tuple[Side, Side]) -> None:
    left, _ = sides
    await left.edit([new_note(number) for number in range(1, 702)])

    await left.sync.publish_all()

    told = [read_data(event, RowsChanged[NoteFields]) for event in await left.told()]
    assert [len(data.changes) for data in told] == [500, 201]
    assert await left.sync.count() == 701


async def test_waits_for_the_store_instead_of_failing_the_message(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    left, right = sides
    monkeypatch.setattr(copy_sync, "_AGAIN_SECONDS", 0.01)
    right.store._prepared = False

    hearing = asyncio.create_task(right.hears([await left.edit([new_note(1)])]))
    await asyncio.sleep(0.1)
    waited = not hearing.done()
    right.store._prepared = True
    await hearing

    assert waited
    assert await right.digest() == await left.digest()


async def test_does_not_know_an_event_whose_merge_has_failed(sides: tuple[Side, Side]) -> None:
    left, right = sides
    event = await left.edit([new_note(1)])
    right.fails = True
    with pytest.raises(RuntimeError):
        await right.hears([event])
    right.fails = False

    await right.hears([event])

    assert await right.digest() == await left.digest()
