"""A hundred thousand orders wait for the broker: how fast they are worked off, and what callers notice of it.

The callers are wrk's: one who shared this process with the reckoning would mostly wait for that.
"""

import asyncio
import time
from collections.abc import Sequence
from statistics import median
from typing import Any, Final

from benchmarks.harness import wrk
from faults.servers import until
from faults.session import trial
from faults.testbed import Site
from faults.verdict import Verdict
from orders_service.events import order_created
from orders_service.models.order import NewOrder
from orders_service.services.new_order import as_document, new_order_id, placed_view
from service_kit.clock import utc_now
from service_kit.mongo.outbox import new_entry, stored
from service_kit.outbox.store import LEASE
from tests.support.system import WISH

_ORDERS: Final = 100_000
_BATCH: Final = 1_000
_PATIENCE_SECONDS: Final = 300
_CALLERS: Final = 16
_TURN_SECONDS: Final = 5
_IN_FLIGHT: Final = 10
_GOAL: Final = 2.0


async def backlog(*, seed: int, seconds: float, rate: float) -> Verdict:
    """The broker is away until 100,000 orders wait in the outbox; half of them leave beside callers, half alone."""
    wrk.install()
    async with trial("backlog", seed=seed, rate=0) as current:
        site, callers = current.site, current.callers
        before = [await _call(site, rate) for _ in range(max(1, round(seconds / _TURN_SECONDS)))]
        await site.stop(site.broker)
        await asyncio.to_thread(_insert, site)
        await site.start(site.broker)
        began = time.monotonic()
        await _relayed_until(site, _ORDERS - 1)
        # First: later the consumer lags behind, and takes of the machine what it can get.
        meanwhile, beside = await _relayed_beside_callers(site, rate)
        alone = await _relayed_until(site, _IN_FLIGHT)
        await until(site.is_quiet, _PATIENCE_SECONDS)
        stored = site.orders_in_store()
        callers.accepted |= dict.fromkeys(stored, began)  # wrk does not say which they are, but how many
    verdict, answered = current.verdict, _ORDERS + sum(turn.answers for turn in (*before, *meanwhile))
    if len(stored) < answered:
        verdict.failures.append(f"{answered} orders were accepted, but {len(stored)} are in the store")
    verdict.notes.append(f"{beside:.0f} orders a second were relayed beside callers, {alone:.0f} while nobody called")
    _compare(verdict, before, meanwhile)
    return verdict


async def _relayed_beside_callers(site: Site, rate: float) -> tuple[list[wrk.Load], float]:
    """Call until half of the orders are left; what the callers met, and how many a second were relayed."""
    meanwhile, waiting, began = [], site.waiting_events(), time.monotonic()
    while (left := site.waiting_events()) > _ORDERS // 2:
        if time.monotonic() > began + _PATIENCE_SECONDS:
            raise TimeoutError(f"{left} orders still wait for the broker.")
        meanwhile.append(await _call(site, rate))
    return meanwhile, (waiting - left) / (time.monotonic() - began)


def _compare(verdict: Verdict, before: Sequence[wrk.Load], meanwhile: Sequence[wrk.Load]) -> None:
    usual, then = (median(turn.p99_ms for turn in turns) for turns in (before, meanwhile))
    verdict.notes.append(f"POST p99 {usual:.1f} ms before, {then:.1f} ms meanwhile, medians of {_TURN_SECONDS} s each")
    if then > _GOAL * usual:
        verdict.failures.append(f"POST p99 was {then / usual:.1f} times as long, {_GOAL} are allowed")


async def _call(site: Site, rate: float) -> wrk.Load:
    """Place orders for a while."""
    url, pause_ms = f"{site.urls[0]}/orders", round(_CALLERS / rate * 1000)
    called = await asyncio.to_thread(
        wrk.load, url, _TURN_SECONDS, connections=_CALLERS, script="order", delay_ms=pause_ms
    )
    if called.errors:
        raise RuntimeError(f"{called.errors} orders were not accepted.")
    return called


async def _relayed_until(site: Site, left: int) -> float:
    """Wait until no more than so many orders wait; how many a second were relayed."""
    waiting, began = site.waiting_events(), time.monotonic()

    async def is_so() -> bool:
        return await asyncio.to_thread(site.waiting_events) <= left

    if not await until(is_so, _PATIENCE_SECONDS):
        raise TimeoutError(f"{site.waiting_events()} orders still wait for the broker.")
    return (waiting - site.waiting_events()) / (time.monotonic() - began)


def _insert(site: Site) -> None:
    """Put orders into the store as orders_service does."""
    new_order = NewOrder.model_validate(WISH)
    for _ in range(_ORDERS // _BATCH):
        site.documents.insert_many([_document(new_order) for _ in range(_BATCH)])


def _document(new_order: NewOrder) -> dict[str, Any]:
    """An order whose event was left behind by a process that is no more."""
    now = utc_now() - LEASE
    order_id = new_order_id(now)
    view = placed_view(order_id, new_order, now)
    event = order_created(view.id, view.user_id, view.total, view.currency, at=now)
    return as_document(order_id, view) | {"outbox": [stored(new_entry(event, order_id, now=now))]}
