"""Connections to RabbitMQ that are renewed, and protection from the client library's errors.

When a connection breaks, aiormq raises more than it documents: bare exceptions, errors of state, and cancellations of
tasks that nobody has cancelled. Code that waits on it uses `BROKER_ERRORS` and `is_cancelled`.
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
"""RabbitMQ recommends 5 to 20. A silent peer counts as lost after about three of them."""
_LASTING_SECONDS: Final = 5.0
_MAX_RETRY_SECONDS: Final = 5.0


class UnrecoverableError(Exception):
    """A session raises this when a new connection would not help."""


class _Wire(TransportFactory):
    """Opens aiormq's transport, and keeps a reference to it."""

    writer: asyncio.StreamWriter | None = None

    async def create(self, url: Any, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:  # noqa: ANN401 - aiormq's
        factory = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, self.writer = await factory.create(url, **options)
        return reader, self.writer


class Connection(aio_pika.Connection):
    """A connection that knows whether the broker accepts messages on it, and that can be closed at once."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - aio-pika's own
        super().__init__(*arguments, **options)
        self._wire = _Wire()
        self.kwargs["transport_factory"] = self._wire

    @property
    def is_blocked(self) -> bool:
        """Whether the broker accepts no messages at the moment, because of its memory or disk alarm.

        It then stops reading from the connection, and says so after the first message that follows the alarm.
        """
        if self.transport is None:
            return False
        ready = self.transport.ready()  # aiormq shows it only by making this wait
        assert inspect.iscoroutine(ready)
        try:
            ready.send(None)
        except StopIteration:
            return False
        ready.close()
        return True

    async def until_unblocked(self) -> None:
        """Return when the broker accepts messages again, or when the connection has ended."""
        if self.transport is None:
            return
        with suppress(ConnectionError):
            await watched(_awaited(self.transport.ready()), until_closed(self.transport.connection))

    def cut(self) -> None:
        """Close the connection at once, and drop what is not sent yet: the broker may no longer read."""
        if self._wire.writer is not None:
            self._wire.writer.transport.abort()


async def _awaited(result: Awaitable[Any]) -> None:
    await result


async def connect(url: str, name: str) -> Connection:
    """Open one connection.

    Args:
        url: AMQP address.
        name: How the broker's management page names the connection.

    Raises:
        BROKER_ERRORS: The broker cannot be reached, or refuses the connection.
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

    Each session has a new connection, rather than one that repairs itself, so that what it declares and consumes is
    always known to the broker.

    Args:
        url: AMQP address.
        name: As for `connect`.
        session: Uses the connection until it breaks; its error is logged in one line.
        first_retry_seconds: The wait after the first failure; it doubles after each further one.

    Raises:
        UnrecoverableError: As the session has raised it.
    """
    # aio-pika logs every failed attempt with a traceback; of its other messages only the broker's alarms matter.
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
                connection.cut()  # else it would wait for the broker's reply


def _tells_of_an_alarm(record: logging.LogRecord) -> bool:
    return "blocked" in record.getMessage()


def _tell(name: str, error: BaseException, wait: float) -> None:
    bug = not isinstance(error, (*BROKER_ERRORS, QueueMismatchError, asyncio.CancelledError))
    log.warning(f"{name} waits for RabbitMQ: {text_of(error)}", again_in_seconds=round(wait, 1), exc_info=bug)  # noqa: G004 - structlog


async def until_closed(closable: aiormq.abc.AbstractChannel | aiormq.abc.AbstractConnection) -> NoReturn:
    """Wait until a channel or a connection is closed.

    Raises:
        ConnectionError: It was closed; with the reason.
    """
    closing = closable.closing
    await asyncio.wait([closing])
    cause = None if closing.cancelled() else closing.exception()
    raise ConnectionError(str(cause or "") or "the connection was closed") from cause


async def watched(wait: Coroutine[Any, Any, None], *watches: Coroutine[Any, Any, None]) -> None:
    """Wait for one awaitable; if one of the others raises meanwhile, cancel all and raise its error."""
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
    """Raise a pending cancellation: aiormq swallows one that arrives while it closes something.

    Raises:
        CancelledError: The running task was cancelled.
    """
    if is_cancelled():
        raise asyncio.CancelledError
