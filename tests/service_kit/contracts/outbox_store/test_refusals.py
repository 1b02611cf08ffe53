"""What the broker refused: tried again later, parked, released, counted."""

from datetime import datetime, timedelta

from service_kit.outbox.store import LEASE, MAX_ATTEMPTS, Backlog
from tests.service_kit.contracts.outbox_store.conftest import Shop


async def test_tries_a_refused_entry_again_a_second_later_with_its_attempts_counted(shop: Shop) -> None:
    await shop.add()
    await shop.store.postpone(await shop.store.claim(10))
    shop.clock.advance(timedelta(seconds=0.9))
    assert not await shop.store.claim(10)
    shop.clock.advance(timedelta(seconds=0.3))
    (again,) = await shop.store.claim(10)
    assert again.attempts == 1


async def test_ignores_a_postponement_under_a_lease_that_another_has_taken_over(shop: Shop) -> None:
    await shop.add()
    former = await shop.store.claim(10)
    shop.clock.advance(LEASE)
    (current,) = await shop.store.claim(10)
    await shop.store.postpone(former)
    shop.clock.advance(LEASE)
    (next_one,) = await shop.store.claim(10)
    assert next_one.attempts == current.attempts == 0


async def test_ignores_a_postponement_of_what_is_cleared_already(shop: Shop) -> None:
    await shop.add(owner="order")
    claimed = await shop.store.claim(10)
    await shop.add(owner="order")
    await shop.store.clear(claimed)
    await shop.store.postpone(claimed)
    (younger,) = await shop.store.claim(10)
    assert younger.attempts == 0


async def test_parks_an_entry_that_was_refused_too_often(shop: Shop) -> None:
    await shop.add()
    await shop.refuse(MAX_ATTEMPTS - 1)
    assert await shop.store.backlog() == Backlog(waiting=1, parked=0)
    await shop.refuse(1)
    assert await shop.store.backlog() == Backlog(waiting=0, parked=1)
    shop.clock.advance(timedelta(days=365))
    assert not await shop.store.claim(10)


async def test_releases_what_is_parked_with_its_attempts_forgotten(shop: Shop) -> None:
    entry = await shop.add()
    await shop.refuse(MAX_ATTEMPTS)
    assert await shop.store.release_parked() == 1
    (released,) = await shop.store.claim(10)
    assert (released.id, released.attempts) == (entry.id, 0)
    assert await shop.store.release_parked() == 0


async def test_counts_owners_that_wait_whether_leased_or_due(shop: Shop) -> None:
    await shop.add(due_in=LEASE)
    await shop.add(owner="order")
    await shop.add(owner="order")
    await shop.store.claim(10)
    assert await shop.store.backlog() == Backlog(waiting=2, parked=0)


async def test_keeps_instants_aware(shop: Shop) -> None:
    await shop.add()
    (claimed,) = await shop.store.claim(10)
    assert isinstance(claimed.due_at, datetime)
    assert claimed.due_at.tzinfo is not None
