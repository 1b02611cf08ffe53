"""Replication in the background: answers requests for all rows, compares the copies, and reports their state."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from prometheus_client import Gauge

from service_kit.background import repeating, set_within
from service_kit.problems import StoreUnavailableError
from service_kit.replication.comparison import LASTS
from service_kit.replication.replicator import Replicator
from service_kit.resources import Check, Resource

DIFFERS: Final = Gauge("sync_differs", "1 while the two copies differ, and no event on its way explains it.")
AHEAD: Final = Gauge("sync_rows_ahead", "Rows with a stamp too far ahead of the clock; the command `heal` mends them.")

_LOOK_SECONDS: Final = 5.0


class CopiesDifferError(Exception):
    """The two copies have differed for some time."""


class StampsTooFarAheadError(Exception):
    """Some rows carry stamps of a clock that was far ahead."""


class CopyWatch(Resource):
    """Watches over one replicated table."""

    def __init__(self, sync: Replicator[Any]) -> None:
        self._sync = sync
        self._rows_ahead = 0
        self._differs = False
        self._look_seconds = min(_LOOK_SECONDS, sync.compare_every.total_seconds() / 2)

    @property
    def checks(self) -> Sequence[Check]:
        """A difference does not make the service unready: both copies can be used."""
        return [Check("sync", self.check, required=False)]

    async def check(self) -> None:
        """Report for `/health/ready` what the last comparison has found.

        Raises:
            StampsTooFarAheadError: Rows have to be healed.
            CopiesDifferError: The copies go on differing.
        """
        if self._rows_ahead:
            raise StampsTooFarAheadError
        if self._differs:
            raise CopiesDifferError

    def running(self) -> AbstractAsyncContextManager[None]:
        """Answer and compare while the block runs."""
        return repeating(
            self._answer,
            self._compare,
            failure="copy_not_watched",
            again_seconds=self._look_seconds,
            silent=(StoreUnavailableError,),  # logged by the store
        )

    async def _answer(self) -> None:
        await self._sync.requests.answer()
        await set_within(self._sync.asked, self._look_seconds)
        self._sync.asked.clear()

    async def _compare(self) -> None:
        await self._sync.comparison.publish()
        if state := await self._sync.state():
            self._rows_ahead = state.rows_ahead
            self._differs = state.times_unchanged >= LASTS or state.resyncs > 0
        AHEAD.set(self._rows_ahead)
        DIFFERS.set(self._differs)
        await asyncio.sleep(self._look_seconds)
