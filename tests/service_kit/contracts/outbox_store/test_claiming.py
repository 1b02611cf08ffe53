"""Who gets which entry, and under which lease."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from service_kit.outbox.store import CLAIM_BYTES, LEASE
from tests.service_kit.contracts.outbox_store.conftest import A_MOMENT, Shop


async def test_hands_out_an_entry_as_it_was_stored_under_a_lease_of_its_own(shop: Shop) -> None:
    entry = await shop.add(owner="order")
    (claimed,) = await shop.store.claim(10)
    assert claimed == replace(entry, due_at=shop.clock.now + LEASE, lease=claimed.lease)
    assert claimed.lease != entry.lease


async def test_has_nothing_to_claim_when_nothing_is_there(shop: Shop) -> None:
    assert not await shop.store.claim(10)


async def test_leaves_an_entry_to_its_writer_until_the_lease_ends(shop: Shop) -> None:
    entry = await shop.add(due_in=LEASE)
    shop.clock.advance(LEASE - A_MOMENT)
    assert not await shop.store.claim(10)
    shop.clock.advance(A_MOMENT)
    assert await shop.claim_ids() == {entry.id}


async def test_claims_those_that_have_been_due_longest(shop: Shop) -> None:
    late, latest, early = [await shop.add(due_in=-timedelta(seconds=seconds)) for seconds in (5, 1, 9)]
    assert await shop.claim_ids(limit=2) == {early.id, late.id}
    assert await shop.claim_ids(limit=2) == {latest.id}


async def test_claims_no_more_than_it_is_asked_for(shop: Shop) -> None:
    for _ in range(5):
        await shop.add()
    assert [len(await shop.store.claim(2)) for _ in range(4)] == [2, 2, 1, 0]


async def test_claims_no_more_than_a_batch_may_hold(shop: Shop) -> None:
    large = CLAIM_BYTES // 3
    added = [await shop.add(due_in=-timedelta(seconds=10 - number), size=large) for number in range(5)]
    await shop.add(due_in=-A_MOMENT, size=1)
    claims = [await shop.claim_ids() for _ in range(2)]
    assert claims[0] == {entry.id for entry in added[:4]}
    assert len(claims[1]) == 2


async def test_claims_an_entry_alone_that_is_larger_than_a_batch(shop: Shop) -> None:
    first = await shop.add(due_in=-timedelta(seconds=2), size=CLAIM_BYTES + 1)
    second = await shop.add(due_in=-timedelta(seconds=1))
    assert await shop.claim_ids() == {first.id}
    assert await shop.claim_ids() == {second.id}


async def test_gives_of_one_owner_only_the_oldest(shop: Shop) -> None:
    first = await shop.add(owner="order")
    second = await shop.add(owner="order")
    claimed = await shop.store.claim(10)
    assert [entry.id for entry in claimed] == [first.id]
    await shop.store.clear(claimed)
    assert await shop.claim_ids() == {second.id}


async def test_keeps_younger_entries_back_while_the_oldest_is_postponed(shop: Shop) -> None:
    await shop.add(owner="order")
    await shop.add(owner="order")
    await shop.store.postpone(await shop.store.claim(10))
    assert not await shop.store.claim(10)


async def test_never_gives_one_entry_to_two_claimants(shop: Shop) -> None:
    added = {(await shop.add()).id for _ in range(60)}
    claims = await asyncio.gather(*(shop.store.claim(10) for _ in range(25)))
    claimed = [entry.id for claim in claims for entry in claim]
    assert len(claimed) == len(set(claimed))
    claimed += [entry.id for entry in await shop.store.claim(100)]
    assert sorted(claimed) == sorted(added)


async def test_gives_a_claimed_entry_again_when_its_lease_has_ended(shop: Shop) -> None:
    entry = await shop.add()
    (first,) = await shop.store.claim(10)
    assert not await shop.store.claim(10)
    shop.clock.advance(LEASE)
    (second,) = await shop.store.claim(10)
    assert second.id == first.id == entry.id
    assert second.lease != first.lease
