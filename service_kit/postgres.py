"""PostgreSQL: the one place that opens connections and makes engines.

asyncpg reads the address itself, so that what PostgreSQL's own tools take (`?sslmode=require`) is taken here too. The
driver's errors become ours at this border: whoever uses the engine, route, relay or consumer, meets
`StoreUnavailableError` when the server is away, and SQLAlchemy's errors when a statement is wrong.
"""

from typing import Final

import asyncpg
import msgspec
import structlog
from sqlalchemy import TIMESTAMP, event, exc, func
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from service_kit.problems import ErrorTranslations, StoreUnavailableError
from service_kit.settings import PostgresSettings

log = structlog.get_logger()

_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 30.0
_POOLED: Final = 10
_OVERFLOW: Final = 5
_POOL_SECONDS: Final = 5.0
_RECYCLE_SECONDS: Final = 600
_REASON_CHARACTERS: Final = 300

_SESSION: Final = {"timezone": "UTC", "jit": "off"}
"""Instants as JSON end in `+00:00` wherever the server stands; compiling a statement costs more than our short ones."""

_GONE: Final = ("08", "57P")
"""The connection is lost, or the server is starting or stopping. Source: PostgreSQL's documentation, appendix A."""
_REFUSED: Final = (*_GONE, "53", "58", "25006", "40001", "40P01", "55P03")
"""It is out of something, a standby, or it has undone the transaction for the sake of another: try again."""


SERVER_NOW: Final = func.now(type_=TIMESTAMP(timezone=True))
"""The server's clock when the transaction began. Each process has a clock of its own, and they may be hours apart: what
one compares with another's goes by this one."""


def unavailable(error: BaseException) -> StoreUnavailableError:
    """Tell a driver's error in the log, and answer what the caller may see of it."""
    log.warning("postgres_unavailable", error=f"{type(error).__name__}: {error}"[:_REASON_CHARACTERS])
    return StoreUnavailableError()


def _told_already(_error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError()


POSTGRES_TRANSLATIONS: Final[ErrorTranslations] = {
    exc.TimeoutError: _told_already,  # every connection of the pool is busy
    # What a route meets that uses the driver's connection itself, for COPY.
    asyncpg.PostgresConnectionError: _told_already,
    asyncpg.AdminShutdownError: _told_already,
    asyncpg.CrashShutdownError: _told_already,
    TimeoutError: _told_already,
}


async def open_connection(
    settings: PostgresSettings, *, database: str | None = None, answer_seconds: float | None = None
) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection of the driver's own, outside of any pool.

    Args:
        settings: The server, and who we are.
        database: Another than the settings'.
        answer_seconds: A statement that takes longer is given up, with a TimeoutError.

    Raises:
        OSError: The server cannot be reached, or is silent.
        asyncpg.PostgresError: It does not let us in.
    """
    return await asyncpg.connect(
        settings.database_url.get_secret_value(),
        database=database or settings.database_name,
        timeout=_CONNECT_SECONDS,
        command_timeout=answer_seconds,
        server_settings={**_SESSION, "application_name": settings.database_name},
    )


def connect(settings: PostgresSettings, *, answer_seconds: float | None = _ANSWER_SECONDS) -> AsyncEngine:
    """Make an engine; it connects on first use, and goes on when the server has been away.

    Args:
        settings: The server and the database.
        answer_seconds: A statement that takes longer counts as no answer; None waits for ever, as a migration may.
    """

    async def opened() -> "asyncpg.Connection[asyncpg.Record]":
        try:
            return await open_connection(settings, answer_seconds=answer_seconds)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise unavailable(error) from error

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=opened,
        pool_size=_POOLED,
        max_overflow=_OVERFLOW,
        pool_timeout=_POOL_SECONDS,
        pool_recycle=_RECYCLE_SECONDS,
        pool_use_lifo=True,
        hide_parameters=True,  # they are people's, and errors stand in logs
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
    )
    event.listen(engine.sync_engine, "handle_error", _translate)
    event.listen(engine.sync_engine, "checkout", _require_open)
    return engine


def _require_open(connection: object, *_: object) -> None:
    """Replace what a restart of the server has closed: the driver has seen it, so that asking costs nothing."""
    if connection.driver_connection.is_closed():  # type: ignore[attr-defined]  # SQLAlchemy's adapter of asyncpg's
        raise exc.InvalidatePoolError


def _translate(context: ExceptionContext) -> StoreUnavailableError | None:
    error = context.original_exception
    if not isinstance(error, Exception):  # a cancelled task: nothing is known of the server
        return None
    if isinstance(error, TimeoutError):  # this connection is of no use, the others may be
        context.is_disconnect, context.invalidate_pool_on_disconnect = True, False
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith(_GONE):
        context.is_disconnect = True
    stale = isinstance(error.__cause__, asyncpg.InvalidCachedStatementError)  # a migration ran just now
    if context.is_disconnect or stale or isinstance(error, OSError) or state.startswith(_REFUSED):
        return unavailable(error)
    return None


def violated_constraint(error: exc.IntegrityError) -> str:
    """Name of the constraint or unique index that a statement broke; empty if the server does not say."""
    cause = error.orig.__cause__ if error.orig else None
    return getattr(cause, "constraint_name", None) or ""
