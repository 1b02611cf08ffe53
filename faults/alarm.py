"""The memory alarm of the broker, which blocks every publisher without breaking its connection."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.request import urlopen

import msgspec

from faults.memory import resident_mb
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
from tests.support.rabbit_support import rabbitmqctl
from tests.support.system import WISH

_TINY: Final = "0.0001"
_USUAL: Final = "0.4"
"""Shares of the machine's memory."""

_LARGE_EVENTS: Final = 280
_LARGE_BYTES: Final = 400_000
_TOGETHER: Final = 20
_GROWTH_MB: Final = 100
"""What the relay may hold of them: a few batches of 4 MiB, each a few times over while it is encoded and sent."""

_REPEATED: Final = re.compile(r'messages_consumed_total\{outcome="repeated",queue="orders_queue"\} (\S+)')


async def alarm(*, seed: int, seconds: float, rate: float) -> Verdict:
    """The broker raises its memory alarm for two thirds of the time, while 280 large events wait, and lifts it."""
    async with trial("alarm", seed=seed, rate=rate) as current:
        site, callers = current.site, current.callers
        await asyncio.sleep(seconds / 6)
        before = callers.p99_ms()
        async with _raised(site):
            began, usual_mb = time.monotonic(), resident_mb(site.orders[0])
            large = await asyncio.to_thread(_insert_large_events, site)
            callers.accepted |= dict.fromkeys(large, began)
            most_mb = await _most_mb(site, seconds * 2 / 3)
            meanwhile = callers.p99_ms(since=began)
            waiting = await asyncio.to_thread(site.waiting_events)
        lifted = time.monotonic()
        await asyncio.sleep(seconds / 6)
        await until(lambda: _are_told(site, large))
        most_mb = max(most_mb, resident_mb(site.orders[0]))
        copies = await asyncio.to_thread(_repeats, site)
    accepted = {order_id for order_id, at in callers.accepted.items() if began <= at < lifted}
    last = max((site.told.lines[order_id][0].at for order_id in accepted & site.told.lines.keys()), default=lifted)
    verdict = current.verdict
    verdict.notes.extend(
        [
            f"{waiting} orders waited at its end; the last of their lines came {last - lifted:.1f} s later",
            f"POST p99 {before:.1f} ms before, {meanwhile:.1f} ms meanwhile",
            f"orders_service held {usual_mb:.0f} MB before and {most_mb:.0f} MB at most",
            f"{copies} messages came to the consumer a second time",
        ]
    )
    if most_mb > usual_mb + _GROWTH_MB:
        verdict.failures.append(f"orders_service grew by {most_mb - usual_mb:.0f} MB, {_GROWTH_MB} are allowed")
    if copies:
        verdict.failures.append(f"{copies} messages were written twice")
    return verdict


async def _are_told(site: Site, order_ids: set[str]) -> bool:
    return order_ids <= site.told.lines.keys()


async def _most_mb(site: Site, seconds: float) -> float:
    """What orders_service held at most, looked at for so long."""
    deadline, most = time.monotonic() + seconds, 0.0
    while time.monotonic() < deadline:
        most = max(most, resident_mb(site.orders[0]))
        await asyncio.sleep(0.2)
    return most


def _insert_large_events(site: Site) -> set[str]:
    """Put orders into the store whose events, left behind by a process that is no more, are large."""
    new_order = NewOrder.model_validate(WISH)
    told: set[str] = set()
    for _ in range(_LARGE_EVENTS // _TOGETHER):
        documents = [_document(new_order) for _ in range(_TOGETHER)]
        site.documents.insert_many(documents)
        told.update(str(document["_id"]) for document in documents)
    return told


def _document(new_order: NewOrder) -> dict[str, Any]:
    now = utc_now() - LEASE
    order_id = new_order_id(now)
    view = placed_view(order_id, new_order, now)
    event = order_created(view.id, view.user_id, view.total, view.currency, at=now)
    padded = msgspec.json.decode(event.data) | {"padding": "x" * _LARGE_BYTES}
    event = msgspec.structs.replace(event, data=msgspec.Raw(msgspec.json.encode(padded)))
    return as_document(order_id, view) | {"outbox": [stored(new_entry(event, order_id, now=now))]}


def _repeats(site: Site) -> int:
    """Messages that the consumer has dropped because it knew them."""
    with urlopen(f"{site.consumers[0].url}/metrics", timeout=5) as answer:  # noqa: S310 - our own address
        found = _REPEATED.search(answer.read().decode())
    return int(float(found[1])) if found else 0


@asynccontextmanager
async def _raised(site: Site) -> AsyncIterator[None]:
    await rabbitmqctl(site.broker, "set_vm_memory_high_watermark", _TINY)
    try:
        yield
    finally:
        await rabbitmqctl(site.broker, "set_vm_memory_high_watermark", _USUAL)
