"""Two copies that compare their digests, and repair what goes on differing."""

from datetime import timedelta
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from service_kit.clock import utc_now
from service_kit.messaging.events import Event
from service_kit.postgres.engine import SERVER_NOW
from service_kit.replication.comparison import LASTS
from service_kit.replication.events import DigestReport
from service_kit.replication.hybrid_clock import HybridClock, stamp_text
from service_kit.replication.rows import FieldChanges
from service_kit.replication.state import set_state
from service_kit.replication.watch import CopiesDifferError, CopyWatch, StampsTooFarAheadError
from tests.support.rabbit_support import until
from tests.support.replicas import Side, new_note
from tests.support.stamped_notes import COPY_STATE, NoteFields


async def told_digest(side: Side) -> list[Event]:
    """What it tells when it is time for a comparison."""
    await side.sync.comparison.publish()
    async with side.store.transaction() as session:
        await set_state(session, COPY_STATE, compare_at=SERVER_NOW)
    assert await side.sync.comparison.publish()
    return [event for event in await side.told() if event.type == "note.copy_digest"]


async def compared(sides: tuple[Side, Side], times: int = 1) -> list[str]:
    """Let left hear the digest of right so often; what left tells then."""
    left, right = sides
    for _ in range(times):
        await left.hears(await told_digest(right))
    return [event.type for event in await left.told()]


async def state(side: Side) -> tuple[int, int, int]:
    row = await side.sync.state()
    assert row is not None
    return row.times_differed, row.times_unchanged, row.resyncs


async def test_tells_its_digest_when_it_is_time(sides: tuple[Side, Side]) -> None:
    left, _ = sides
    await left.edit([new_note(1)])
    assert not await left.sync.comparison.publish()
    [event] = await told_digest(left)
    digest = await left.digest()
    assert event.data == left.copy.events.digest_report(DigestReport(digest.count, digest.digest), at=utc_now()).data
    assert not await left.sync.comparison.publish()


async def test_equal_copies_are_left_alone(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await right.hears([await left.edit([new_note(1)])])
    assert await compared(sides, times=5) == []


async def test_restores_what_goes_on_differing(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.edit([new_note(1)])  # whose event is lost
    resyncs = REGISTRY.get_sample_value("sync_resyncs_total") or 0
    assert await compared(sides, LASTS - 1) == []
    asked = await compared(sides)
    assert asked == ["note.copy_requested"]
    assert await left.sync.requests.answer()
    await right.hears(await left.told())

    assert await left.digest() == await right.digest()
    assert REGISTRY.get_sample_value("sync_resyncs_total") == resyncs + 1
    assert await compared(sides) == []
    assert await state(left) == (0, 0, 0)


async def test_traffic_explains_a_difference(sides: tuple[Side, Side]) -> None:
    left, _ = sides
    for number in range(1, 10):
        await left.edit([new_note(number)])
        assert await compared(sides) == []
    assert (await state(left))[1] == 1


async def test_events_that_wait_for_the_broker_explain_a_difference(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.edit([new_note(1)])
    await left.sync.publish_all()
    for _ in range(LASTS):
        await left.hears(await told_digest(right))
    assert await state(left) == (0, 0, 0)


async def test_tries_again_only_after_longer_and_longer_pauses(sides: tuple[Side, Side]) -> None:
    left, _ = sides
    await left.edit([new_note(1)])
    assert await compared(sides, LASTS) == ["note.copy_requested"]
    assert await compared(sides, LASTS * 3) == []
    async with left.store.transaction() as session:
        await set_state(session, COPY_STATE, resync_at=SERVER_NOW)
    assert await compared(sides) == ["note.copy_requested"]
    row = await left.sync.state()
    assert row is not None
    assert timedelta(minutes=19) < row.resync_at - row.now < timedelta(minutes=21)


async def test_the_other_side_acts_later(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.edit([new_note(1)])
    assert await compared((right, left), LASTS * 2 - 1) == []
    assert await compared((right, left)) == ["note.copy_requested"]


async def test_says_in_readiness_that_the_copies_differ_or_that_rows_are_too_far_ahead(
    sides: tuple[Side, Side],
) -> None:
    left, _ = sides
    watch = CopyWatch(left.sync)
    await left.edit([new_note(1)])
    await compared(sides, LASTS)
    async with watch.running():
        await until(lambda: watch._differs)
        with pytest.raises(CopiesDifferError):
            await watch.check()
    assert REGISTRY.get_sample_value("sync_differs") == 1

    far = stamp_text(HybridClock(1, lambda: utc_now() + timedelta(days=800)).tick())
    await left.edit([FieldChanges(UUID(int=1), far, NoteFields(body="far"))])
    await told_digest(left)
    async with watch.running():
        await until(lambda: watch._rows_ahead == 1)
        with pytest.raises(StampsTooFarAheadError):
            await watch.check()
    assert REGISTRY.get_sample_value("sync_rows_ahead") == 1


async def test_answers_in_the_background(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await right.edit([new_note(1)])
    async with CopyWatch(right.sync).running():
        await right.hears([left.copy.events.copy_request(at=utc_now())])

        async def is_told() -> bool:
            return len(await right.told()) == 1

        await until(is_told)
