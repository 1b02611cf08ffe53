"""Watches the event loop: while one callback computes, every other request of the process waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from prometheus_client import Histogram

_PAUSE_SECONDS: Final = 0.05

LAG: Final = Histogram(
    "event_loop_lag_seconds",
    "How much later than asked for the event loop woke a sleeper.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)


@asynccontextmanager
async def watched_loop() -> AsyncIterator[None]:
    """Measure while the block runs."""
    watching = asyncio.create_task(_watch())
    try:
        yield
    finally:
        watching.cancel()


async def _watch() -> None:
    loop = asyncio.get_running_loop()
    while True:
        asked_for = loop.time() + _PAUSE_SECONDS
        await asyncio.sleep(_PAUSE_SECONDS)
        LAG.observe(max(0.0, loop.time() - asked_for))
