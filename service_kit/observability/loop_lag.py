"""Watches the event loop: while one callback computes, every other request of the process waits for it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Final

from prometheus_client import Histogram

from service_kit.background import repeating
from service_kit.resources import Resource

_PAUSE_SECONDS: Final = 0.05

LAG: Final = Histogram(
    "event_loop_lag_seconds",
    "How much later than asked for the event loop woke a sleeper.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)


class LoopWatch(Resource):
    """Measures the lag of the event loop that it runs on."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Measure while the block runs."""
        return repeating(self._measure, failure="loop_not_watched")

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        asked_for = loop.time() + _PAUSE_SECONDS
        await asyncio.sleep(_PAUSE_SECONDS)
        LAG.observe(max(0.0, loop.time() - asked_for))
