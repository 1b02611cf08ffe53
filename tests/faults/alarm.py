"""The memory alarm of the broker, which blocks every publisher without breaking its connection."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.faults.site import Site
from tests.faults.trial import trial
from tests.faults.verdict import Verdict
from tests.service_kit.stage import rabbitmqctl

_TINY: Final = "0.0001"
_USUAL: Final = "0.4"
"""Shares of the machine's memory."""


async def alarm(*, seed: int, seconds: float, rate: float) -> Verdict:
    """The broker raises its memory alarm for a third of the time, and lifts it again."""
    async with trial("alarm", seed=seed, rate=rate) as current:
        site, callers = current.site, current.callers
        await asyncio.sleep(seconds / 3)
        before = callers.p99_ms()
        async with _raised(site):
            began = time.monotonic()
            await asyncio.sleep(seconds / 3)
            meanwhile = callers.p99_ms(since=began)
            waiting = await asyncio.to_thread(site.waiting_events)
        lifted = time.monotonic()
        await asyncio.sleep(seconds / 3)
    accepted = {order_id for order_id, at in callers.accepted.items() if began < at < lifted}
    last = max((site.told.lines[order_id][0].at for order_id in accepted & site.told.lines.keys()), default=lifted)
    current.verdict.notes.extend(
        [
            f"{waiting} orders waited at its end; the last of their lines came {last - lifted:.1f} s later",
            f"POST p99 {before:.1f} ms before, {meanwhile:.1f} ms meanwhile",
        ]
    )
    return current.verdict


@asynccontextmanager
async def _raised(site: Site) -> AsyncIterator[None]:
    await rabbitmqctl(site.broker, "set_vm_memory_high_watermark", _TINY)
    try:
        yield
    finally:
        await rabbitmqctl(site.broker, "set_vm_memory_high_watermark", _USUAL)
