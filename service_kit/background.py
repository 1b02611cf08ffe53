"""What works in the background: steps that are repeated, and the end of a process that one of them has failed."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final

import structlog

log = structlog.get_logger()

_REASON_CHARACTERS: Final = 400
_exit_statuses: list[int] = []


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, but no longer; whether it was set."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def is_cancelled() -> bool:
    """Whether somebody has cancelled the running task, and not a driver by closing what it waits on."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def text_of(error: BaseException) -> str:
    """What an error says, for people: cut off, because a driver may quote a whole request."""
    return (str(error) or type(error).__name__)[:_REASON_CHARACTERS]


def reason_of(error: BaseException) -> str:
    """What an error is and says, for the log; cut off in the same way."""
    return f"{type(error).__name__}: {error}"[:_REASON_CHARACTERS]


@asynccontextmanager
async def repeating(
    *steps: Callable[[], Awaitable[None]],
    failure: str,
    again_seconds: float = 1.0,
    silent: tuple[type[Exception], ...] = (),
    about: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[None]:
    """Repeat each step, in a task of its own, while the block runs.

    Args:
        steps: Each waits itself until it is due again.
        failure: What the log calls an error of a step; it is waited out, and never ends the others.
        again_seconds: How long it is waited out.
        silent: Errors that somebody else logs.
        about: What the log says beside the error.
    """

    async def repeat(step: Callable[[], Awaitable[None]]) -> None:
        while not is_cancelled():  # asked, because a driver may swallow the cancellation, or raise something else
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - nobody awaits this task, so nobody else would hear of it
                if is_cancelled():
                    return
                if not isinstance(error, silent):
                    log.warning(
                        failure, **about, step=step.__name__, error=reason_of(error), again_in_seconds=again_seconds
                    )
                await asyncio.sleep(again_seconds)

    tasks = [asyncio.create_task(repeat(step)) for step in steps]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def end_process(status: int) -> None:
    """Serve the requests in hand, then end with a status that is not 0: for what has failed in the background."""
    _exit_statuses.append(status)
    signal.raise_signal(signal.SIGTERM)


def exit_status() -> int:
    """The status that `end_process` was first called with; 0 if it was not."""
    return next(iter(_exit_statuses), 0)
