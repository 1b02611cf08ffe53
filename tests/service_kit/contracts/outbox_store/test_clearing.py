"""What is confirmed, and forgotten."""

from service_kit.outbox.store import LEASE, Backlog
from tests.service_kit.contracts.outbox_store.conftest import A_MOMENT, Shop


async def test_forgets_what_is_cleared(shop: Shop) -> None:
    await shop.add()
    await shop.store.clear(await shop.store.claim(10))
    shop.clock.advance(LEASE)
    assert not await shop.store.claim(10)
    assert await shop.store.backlog() == Backlog(waiting=0, parked=0)


async def test_clears_a_confirmed_entry_although_another_has_claimed_it_since(shop: Shop) -> None:
    await shop.add()
    slow = await shop.store.claim(10)
    shop.clock.advance(LEASE)
    await shop.store.claim(10)
    await shop.store.clear(slow)
    assert await shop.store.backlog() == Backlog(waiting=0, parked=0)


async def test_leaves_what_was_appended_between_claim_and_clear(shop: Shop) -> None:
    await shop.add(owner="order")
    claimed = await shop.store.claim(10)
    appended = await shop.add(owner="order")
    await shop.store.clear(claimed)
    assert await shop.claim_ids() == {appended.id}


async def test_clears_nothing_of_other_owners(shop: Shop) -> None:
    kept = await shop.add(due_in=A_MOMENT)
    gone = await shop.add()
    await shop.store.clear([gone])
    shop.clock.advance(A_MOMENT)
    assert await shop.claim_ids() == {kept.id}
