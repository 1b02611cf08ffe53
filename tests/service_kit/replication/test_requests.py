"""Who asks for all rows is answered, but once at a time."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from service_kit.clock import utc_now
from service_kit.postgres.engine import SERVER_NOW
from service_kit.replication.replicator import Replicator
from service_kit.replication.requests import PAUSE
from service_kit.replication.state import set_state
from tests.support.replicas import Side, new_note
from tests.support.stamped_notes import COPY_STATE


async def asks(one: Side, other: Side, times: int = 1) -> None:
    await other.hears([one.copy.events.copy_request(at=utc_now()) for _ in range(times)])


async def later(side: Side, by: timedelta) -> None:
    """Let the last answer, and a lease, lie so far back."""
    async with side.store.transaction() as session:
        columns = COPY_STATE.c
        await set_state(session, COPY_STATE, told_at=columns.told_at - by, telling_until=columns.telling_until - by)


async def test_answers_many_requests_by_one_answer(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await right.edit([new_note(number) for number in range(1, 702)])
    await asks(left, right, times=20)

    assert await right.sync.requests.answer()
    assert not await right.sync.requests.answer()

    assert len(await right.told()) == 2


async def test_answers_what_is_asked_soon_after_an_answer_by_one_more_but_later(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await right.edit([new_note(1)])
    await asks(left, right)
    await right.sync.requests.answer()
    await asks(left, right, times=5)

    assert not await right.sync.requests.answer()
    await later(right, PAUSE)
    assert await right.sync.requests.answer()
    assert not await right.sync.requests.answer()

    assert len(await right.told()) == 2


async def test_only_one_replica_answers(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await right.edit([new_note(number) for number in range(1, 1201)])
    await asks(left, right)
    replicas = [Replicator(right.copy, right.store, right.clock).requests for _ in range(5)]

    answered = await asyncio.gather(*(replica.answer() for replica in replicas))

    assert sorted(answered) == [False] * 4 + [True]
    assert len(await right.told()) == 3


async def test_goes_on_where_a_replica_has_died(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await right.edit([new_note(number) for number in range(1, 1201)])
    await asks(left, right)
    dying = Replicator(right.copy, right.store, right.clock).requests
    publish_chunk = dying._publish_chunk

    async def die_at_the_second(session: object, last: UUID | None) -> UUID | None:
        if last is not None:
            raise RuntimeError("killed")
        return await publish_chunk(session, last)  # type: ignore[arg-type]  # the session of the caller

    dying._publish_chunk = die_at_the_second
    with pytest.raises(RuntimeError, match="killed"):
        await dying.answer()
    assert len(await right.told()) == 1

    assert not await right.sync.requests.answer()
    await later(right, timedelta(minutes=2))
    assert await right.sync.requests.answer()

    assert len(await right.told()) == 2


async def test_remembers_a_request_that_comes_while_it_answers(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await right.edit([new_note(1)])
    await asks(left, right)
    async with right.store.transaction() as session:  # as if another replica was at it
        await set_state(session, COPY_STATE, asked_at=None, telling_since=SERVER_NOW, telling_until=SERVER_NOW)
    await asks(left, right)

    assert await right.sync.requests.answer()
    assert not await right.sync.requests.answer()
    await later(right, PAUSE)
    assert await right.sync.requests.answer()
