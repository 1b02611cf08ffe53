"""The people of a load: tasks that go on until they are sent home, and the client they share."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Final

import httpx

PATIENCE_SECONDS: Final = 90
AGAIN_SECONDS: Final = 0.1
"""Who had no answer, or a 503, asks again after that, more or less."""
_ANSWER_SECONDS: Final = 10


class Crowd:
    """Some people.

    Args:
        most: Connections at the same time.

    Attributes:
        client: For all of them.
        going_home: Set when they should finish what they are at, and no more.
    """

    def __init__(self, most: int) -> None:
        limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
        self.client = httpx.AsyncClient(timeout=_ANSWER_SECONDS, limits=limits)
        self.going_home = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, people: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Let everybody begin."""
        self._tasks = [asyncio.create_task(one) for one in people]

    async def go_home(self, *, at_once: bool) -> None:
        """Let everybody have their answer first, but give up on who never gets it; raise what one of them has met."""
        self.going_home.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0 if at_once else PATIENCE_SECONDS)
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.aclose()
        for result in results:
            if isinstance(result, Exception):
                raise result
