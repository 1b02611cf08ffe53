"""Keeps one child running: prepares it, starts it, says when it is ready, and starts it again when it dies."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from typing import Final, Self

from dev_stack.supervision.children import Child

_POLL_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 30
_YOUNG_SECONDS: Final = 10
_LONGEST_PAUSE_SECONDS: Final = 10.0


def pause_seconds(last_pause: float, lived: float) -> float:
    """Wait before the next start: 1 s, doubled up to 10 s as long as it dies young.

    Args:
        last_pause: The wait before the life that has just ended; 0 before the first.
        lived: Seconds of that life.
    """
    if lived > _YOUNG_SECONDS or not last_pause:
        return 1.0
    return min(last_pause * 2, _LONGEST_PAUSE_SECONDS)


def in_words(status: int) -> str:
    """An exit status for people."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


class Keeper:
    """The lives of one child.

    Args:
        child: Who is kept.
        say: Writes a line about it.
        needs: Who must have been ready before its first start. Later failures of these do not restart it.

    Attributes:
        ready: Set once it has been ready for the first time.
    """

    def __init__(self, child: Child, say: Callable[[str], None], *, needs: Sequence[Self] = ()) -> None:
        self.child = child
        self.ready = asyncio.Event()
        self._say = say
        self._needs = needs

    async def keep(self) -> None:
        """Run until cancelled; stopping the child is then the caller's."""
        for other in self._needs:
            await other.ready.wait()
        await self._prepare()
        pause = 0.0
        while True:
            born_at = time.monotonic()
            status = await self._live()
            pause = pause_seconds(pause, time.monotonic() - born_at)
            self._say(f"{self.child.name} {in_words(status)}; starting it again in {pause:g} s")
            await asyncio.sleep(pause)

    async def _prepare(self) -> None:
        """Try until it succeeds: its server may be the user's and come later, or somebody corrects what fails."""
        pause = 0.0
        while status := await self.child.prepare():
            pause = pause_seconds(pause, lived=0)
            self._say(
                f"{self.child.name} is not started, because its preparation {in_words(status)}; "
                f"trying again in {pause:g} s"
            )
            await asyncio.sleep(pause)

    async def _live(self) -> int:
        await self.child.spawn()
        greeting = asyncio.create_task(self._greet())
        try:
            return await self.child.wait()
        finally:
            greeting.cancel()

    async def _greet(self) -> None:
        born_at = time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._until_ready()
        except TimeoutError:
            self._say(f"{self.child.name} is not ready after {_PATIENCE_SECONDS} s; waiting on")
            await self._until_ready()
        self._say(f"{self.child.name} is ready after {time.monotonic() - born_at:.1f} s")
        self.ready.set()

    async def _until_ready(self) -> None:
        while not await self.child.is_ready():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(_POLL_SECONDS)
