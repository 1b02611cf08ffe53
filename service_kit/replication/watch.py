"""What a service does for its copy in the background: answers requests for it, compares it, and knows how it stands."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from prometheus_client import Gauge

from service_kit.background import set_within
from service_kit.problems import StoreUnavailableError
from service_kit.replication.comparison import LASTS
from service_kit.replication.replicator import Replicator

log = structlog.get_logger()

DIFFERS: Final = Gauge("sync_differs", "1 while the two copies differ, and no event on its way explains it.")
AHEAD: Final = Gauge("sync_rows_ahead", "Rows with a stamp too far ahead of the clock; the command `heal` mends them.")

_LOOK_SECONDS: Final = 5.0
_REASON_CHARACTERS: Final = 300


class CopiesDifferError(Exception):
    """The two copies have differed for some time."""


class StampsTooFarAheadError(Exception):
    """Some rows carry stamps of a clock that was far ahead."""


class CopyWatch:
    """Watches over one copy."""

    def __init__(self, sync: Replicator[Any]) -> None:
        self._sync = sync
        self._rows_ahead = 0
        self._differs = False

    async def check(self) -> None:
        """For `/health/ready`, by what the last comparison has found.

        Raises:
            StampsTooFarAheadError: Rows have to be healed.
            CopiesDifferError: The copies go on differing.
        """
        if self._rows_ahead:
            raise StampsTooFarAheadError
        if self._differs:
            raise CopiesDifferError

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer and compare while the block runs."""
        look_seconds = min(_LOOK_SECONDS, self._sync.compare_every.total_seconds() / 2)
        tasks = [asyncio.create_task(_for_ever(step, look_seconds)) for step in (self._answer, self._compare)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, look_seconds: float) -> None:
        await self._sync.requests.answer()
        await set_within(self._sync.asked, look_seconds)
        self._sync.asked.clear()

    async def _compare(self, look_seconds: float) -> None:
        await self._sync.comparison.tell()
        if state := await self._sync.state():
            self._rows_ahead = state.rows_ahead
            self._differs = state.times_unchanged >= LASTS or state.resyncs > 0
        AHEAD.set(self._rows_ahead)
        DIFFERS.set(self._differs)
        await asyncio.sleep(look_seconds)


async def _for_ever(step: Callable[[float], Awaitable[None]], look_seconds: float) -> None:
    while True:
        try:
            await step(look_seconds)
        except StoreUnavailableError:
            await asyncio.sleep(look_seconds)  # told by whoever opens the store
        except Exception as error:  # noqa: BLE001 - nobody awaits this task; whatever it meets must be told
            log.warning("copy_not_watched", error=f"{type(error).__name__}: {error}"[:_REASON_CHARACTERS])
            await asyncio.sleep(look_seconds)
