"""A hundred thousand orders wait for the broker: how fast they are worked off, and what callers notice of it."""

import asyncio
import time
from typing import Any, Final

from orders_service.events import order_created
from orders_service.models.order import NewOrder
from orders_service.services.new_order import as_document, new_order_id, placed_view
from service_kit.clock import utc_now
from service_kit.mongo_outbox import new_entry, stored
from service_kit.outbox import LEASE
from tests.faults.servers import until
from tests.faults.site import Site
from tests.faults.trial import trial
from tests.faults.verdict import Verdict
from tests.system import WISH

_ORDERS: Final = 100_000
_BATCH: Final = 1_000
_PATIENCE_SECONDS: Final = 900
_IN_FLIGHT: Final = 100
"""At most so many events wait at any moment while callers post."""
_GOAL: Final = 2.0


async def backlog(*, seed: int, seconds: float, rate: float) -> Verdict:
    """The broker is away until 100,000 orders wait in the outbox; then it is back."""
    async with trial("backlog", seed=seed, rate=rate) as current:
        site, callers = current.site, current.callers
        await asyncio.sleep(seconds)
        before = callers.p99_ms()
        await site.stop(site.broker)
        inserted = dict.fromkeys(await asyncio.to_thread(_insert, site), time.monotonic())
        callers.accepted |= inserted
        await site.start(site.broker)
        began = time.monotonic()
        await until(lambda: _is_relayed(site), _PATIENCE_SECONDS)
        relaying = time.monotonic() - began
        meanwhile = callers.p99_ms(since=began)
        await until(lambda: _is_told(site, inserted), _PATIENCE_SECONDS)
        telling = time.monotonic() - began
    verdict = current.verdict
    verdict.notes.extend(
        [
            f"the relay needed {relaying:.1f} s for {_ORDERS} orders, {_ORDERS / relaying:.0f} a second",
            f"the last of their lines came {telling:.1f} s after the broker",
            f"POST p99 {before:.1f} ms before, {meanwhile:.1f} ms meanwhile",
        ]
    )
    if meanwhile > _GOAL * before:
        verdict.failures.append(f"POST p99 was {meanwhile / before:.1f} times what it had been, {_GOAL} are allowed")
    return verdict


async def _is_relayed(site: Site) -> bool:
    return await asyncio.to_thread(site.waiting_events, _IN_FLIGHT) < _IN_FLIGHT


async def _is_told(site: Site, inserted: dict[str, float]) -> bool:
    return inserted.keys() <= site.told.lines.keys()


def _insert(site: Site) -> list[str]:
    """Put orders into the store as orders_service does; their ids."""
    wish = NewOrder.model_validate(WISH)
    ids: list[str] = []
    for _ in range(_ORDERS // _BATCH):
        documents = [_document(wish) for _ in range(_BATCH)]
        site.documents.insert_many(documents)
        ids += [str(document["_id"]) for document in documents]
    return ids


def _document(wish: NewOrder) -> dict[str, Any]:
    """An order whose event was left behind by a process that is no more."""
    now = utc_now() - LEASE
    order_id = new_order_id(now)
    view = placed_view(order_id, wish, now)
    event = order_created(view.id, view.user_id, view.total, view.currency, at=now)
    return as_document(order_id, view) | {"outbox": [stored(new_entry(event, order_id, now=now))]}
