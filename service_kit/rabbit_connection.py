"""Connections to RabbitMQ that come back, and what the client library must be kept from.

aiormq raises more than it names when a connection breaks: bare exceptions, errors of state, and cancellations of tasks
that nobody has cancelled. Whoever waits on it uses `BROKER_ERRORS` and `is_cancelled`.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NoReturn

import aio_pika
import aiormq.abc
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from service_kit.amqp_properties import tolerate_unreadable_properties
from service_kit.rabbit import QueueMismatchError

log = structlog.get_logger()

BROKER_ERRORS: Final = CONNECTION_EXCEPTIONS

_CONNECT_SECONDS: Final = 5
_HEARTBEAT_SECONDS: Final = 10
"""RabbitMQ advises 5 to 20. A peer that falls silent is given up after about three of them."""
_LASTING_SECONDS: Final = 5.0
_FIRST_RETRY_SECONDS: Final = 0.25
_MAX_RETRY_SECONDS: Final = 5.0
_REASON_CHARACTERS: Final = 400


class HopelessError(Exception):
    """What a session raises when a new connection would not help."""


async def connect(url: str, name: str) -> AbstractConnection:
    """A connection, once.

    Args:
        url: AMQP address.
        name: How the broker's management page names the connection.

    Raises:
        BROKER_ERRORS: The broker cannot be reached, or lets nobody in.
    """
    tolerate_unreadable_properties()
    return await aio_pika.connect(
        url,
        timeout=_CONNECT_SECONDS,
        heartbeat=_HEARTBEAT_SECONDS,
        client_properties={"connection_name": name},
    )


async def stay_connected(url: str, name: str, session: Callable[[AbstractConnection], Awaitable[None]]) -> NoReturn:
    """Run `session` on a connection, and again on a new one whenever it breaks, until the task is cancelled.

    A new connection for each session, rather than one that repairs itself: what a session declares and consumes is
    then always what the broker knows.

    Args:
        url: AMQP address.
        name: As for `connect`.
        session: Uses the connection until it breaks; whatever it raises then is told in one line.

    Raises:
        HopelessError: As the session has raised it.
    """
    # Tells every failed attempt once more, with a traceback; of the rest only the broker's alarms are news.
    logging.getLogger("aiormq.connection").addFilter(_tells_of_an_alarm)
    failures = 0
    while True:
        began = asyncio.get_running_loop().time()
        try:
            async with await connect(url, name) as connection:
                await session(connection)
        except HopelessError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled():
                raise
            lasted = asyncio.get_running_loop().time() - began > _LASTING_SECONDS
            failures = 1 if lasted else failures + 1
            wait = min(_FIRST_RETRY_SECONDS * 2 ** (failures - 1), _MAX_RETRY_SECONDS) * random.uniform(0.8, 1.2)
            _tell(name, error, wait)
        await asyncio.sleep(wait)


def _tells_of_an_alarm(record: logging.LogRecord) -> bool:
    return "blocked" in record.getMessage()


def _tell(name: str, error: BaseException, wait: float) -> None:
    reason = (str(error) or type(error).__name__)[:_REASON_CHARACTERS]
    bug = not isinstance(error, (*BROKER_ERRORS, QueueMismatchError, asyncio.CancelledError))
    log.warning(f"{name} waits for RabbitMQ: {reason}", again_in_seconds=round(wait, 1), exc_info=bug)  # noqa: G004 - structlog


async def until_closed(channel: aiormq.abc.AbstractChannel) -> NoReturn:
    """Wait for the end of a channel, or of its connection.

    Raises:
        ConnectionError: It has ended, and why.
    """
    closing = channel.closing
    await asyncio.wait([closing])
    cause = None if closing.cancelled() else closing.exception()
    raise ConnectionError(str(cause or "") or "the connection was closed") from cause


async def watched(wait: Coroutine[Any, Any, None], *watches: Coroutine[Any, Any, None]) -> None:
    """Wait for one thing, unless one of the others raises meanwhile; end them all, and raise that."""
    awaited = asyncio.create_task(wait)
    tasks = [awaited, *map(asyncio.create_task, watches)]
    waiting = set(tasks)
    try:
        while awaited in waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_cancelled() -> bool:
    """Whether somebody has cancelled the running task, and not aiormq by closing what it waits on."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
