"""Connections to RabbitMQ that come back, and what the client library must be kept from.

aiormq raises more than it names when a connection breaks: bare exceptions, errors of state, and cancellations of tasks
that nobody has cancelled. Whoever waits on it uses `BROKER_ERRORS` and `is_cancelled`.
"""

import asyncio
import inspect
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, NoReturn

import aio_pika
import aiormq.abc
import structlog
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory

from service_kit.background import is_cancelled, text_of
from service_kit.rabbit.lenient_headers import tolerate_unreadable_properties
from service_kit.rabbit.topology import QueueMismatchError

log = structlog.get_logger()

BROKER_ERRORS: Final = CONNECTION_EXCEPTIONS

_CONNECT_SECONDS: Final = 5
_HEARTBEAT_SECONDS: Final = 10
"""RabbitMQ advises 5 to 20. A peer that falls silent is given up after about three of them."""
_LASTING_SECONDS: Final = 5.0
_MAX_RETRY_SECONDS: Final = 5.0


class UnrecoverableError(Exception):
    """What a session raises when a new connection would not help."""


class _Wire(TransportFactory):
    """Opens what aiormq writes to, and remembers it."""

    writer: asyncio.StreamWriter | None = None

    async def create(self, url: Any, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:  # noqa: ANN401 - aiormq's
        factory = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, self.writer = await factory.create(url, **options)
        return reader, self.writer


class Connection(aio_pika.Connection):
    """A connection that tells whether the broker takes messages on it, and that can be cut."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - aio-pika's own
        super().__init__(*arguments, **options)
        self._wire = _Wire()
        self.kwargs["transport_factory"] = self._wire

    @property
    def is_blocked(self) -> bool:
        """Whether the broker takes no messages for now, because of its alarm of memory or disk.

        It then does not read from the connection at all, and says so when the first message has come after the alarm.
        """
        if self.transport is None:
            return False
        ready = self.transport.ready()  # aiormq tells it by nothing but letting this wait
        assert inspect.iscoroutine(ready)
        try:
            ready.send(None)
        except StopIteration:
            return False
        ready.close()
        return True

    async def until_unblocked(self) -> None:
        """Return when the broker takes messages again, or when the connection has ended."""
        if self.transport is None:
            return
        with suppress(ConnectionError):
            await watched(_awaited(self.transport.ready()), until_closed(self.transport.connection))

    def cut(self) -> None:
        """End it at once, without a word and without what is written but not sent: the broker may no longer read."""
        if self._wire.writer is not None:
            self._wire.writer.transport.abort()


async def _awaited(result: Awaitable[Any]) -> None:
    await result


async def connect(url: str, name: str) -> Connection:
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
        connection_class=Connection,
        timeout=_CONNECT_SECONDS,
        heartbeat=_HEARTBEAT_SECONDS,
        client_properties={"connection_name": name},
    )


async def stay_connected(
    url: str,
    name: str,
    session: Callable[[Connection], Awaitable[None]],
    *,
    first_retry_seconds: float = 0.25,
) -> NoReturn:
    """Run `session` on a connection, and again on a new one whenever it breaks, until the task is cancelled.

    A new connection for each session, rather than one that repairs itself: what a session declares and consumes is
    then always what the broker knows.

    Args:
        url: AMQP address.
        name: As for `connect`.
        session: Uses the connection until it breaks; whatever it raises then is told in one line.
        first_retry_seconds: The wait after the first failure; it doubles with each one.

    Raises:
        UnrecoverableError: As the session has raised it.
    """
    # Tells every failed attempt once more, with a traceback; of the rest only the broker's alarms are news.
    logging.getLogger("aiormq.connection").addFilter(_tells_of_an_alarm)
    failures = 0
    while True:
        began = asyncio.get_running_loop().time()
        try:
            await _run(session, await connect(url, name))
        except UnrecoverableError:
            raise
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled():
                raise
            lasted = asyncio.get_running_loop().time() - began > _LASTING_SECONDS
            failures = 1 if lasted else failures + 1
            wait = min(first_retry_seconds * 2 ** (failures - 1), _MAX_RETRY_SECONDS) * random.uniform(0.8, 1.2)
            _tell(name, error, wait)
        await asyncio.sleep(wait)


async def _run(session: Callable[[Connection], Awaitable[None]], connection: Connection) -> None:
    async with connection:
        try:
            await session(connection)
        finally:
            if connection.is_blocked:
                connection.cut()  # it would wait to say goodbye


def _tells_of_an_alarm(record: logging.LogRecord) -> bool:
    return "blocked" in record.getMessage()


def _tell(name: str, error: BaseException, wait: float) -> None:
    bug = not isinstance(error, (*BROKER_ERRORS, QueueMismatchError, asyncio.CancelledError))
    log.warning(f"{name} waits for RabbitMQ: {text_of(error)}", again_in_seconds=round(wait, 1), exc_info=bug)  # noqa: G004 - structlog


async def until_closed(closable: aiormq.abc.AbstractChannel | aiormq.abc.AbstractConnection) -> NoReturn:
    """Wait for the end of a channel, also by that of its connection, or of a connection.

    Raises:
        ConnectionError: It has ended, and why.
    """
    closing = closable.closing
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


def heed_cancellation() -> None:
    """For loops on aiormq, which swallows a cancellation that comes while it closes something.

    Raises:
        CancelledError: Somebody has cancelled the running task.
    """
    if is_cancelled():
        raise asyncio.CancelledError
