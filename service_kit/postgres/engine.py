"""PostgreSQL: the one place that opens connections and makes engines.

asyncpg reads the address itself, so options of PostgreSQL's own tools (`?sslmode=require`) work here too. The driver's
errors are translated here: whoever uses the engine, a route, the relay or a consumer, receives `StoreUnavailableError`
when the server is away, and SQLAlchemy's errors when a statement is wrong.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg
import msgspec
import structlog
from sqlalchemy import TIMESTAMP, event, exc, func
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from service_kit.background import reason_of
from service_kit.postgres.errors import is_gone, refusal_of, take_values_out
from service_kit.problems import ErrorTranslations, StoreUnavailableError
from service_kit.settings.stores import PostgresSettings

log = structlog.get_logger()

_CONNECT_SECONDS: Final = 5.0
_MARGIN_SECONDS: Final = 5.0
"""How much longer we wait for a silent server than for a slow statement, which the server itself ends."""
_RECYCLE_SECONDS: Final = 600

_SESSION: Final = {"timezone": "UTC", "jit": "off"}
"""In UTC, timestamps as JSON always end in `+00:00`; JIT compilation costs more than our short statements take."""


SERVER_NOW: Final = func.now(type_=TIMESTAMP(timezone=True))
"""The server's time at the start of the transaction. The clocks of processes may be hours apart, so times that several
processes compare come from the server."""


def unavailable(error: BaseException) -> StoreUnavailableError:
    """Log a driver's error; returns the error that the caller may see."""
    return told(error, StoreUnavailableError())


def told(error: BaseException, refusal: StoreUnavailableError) -> StoreUnavailableError:
    """Log a driver's error; returns the refusal into which it was translated."""
    log.warning("postgres_unavailable", error=reason_of(error))
    return refusal


def _told_already(_error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError()


POSTGRES_TRANSLATIONS: Final[ErrorTranslations] = {
    exc.TimeoutError: _told_already,  # all connections of the pool are busy
    # Raised in a route that uses the driver's connection itself, for COPY.
    asyncpg.PostgresConnectionError: _told_already,
    asyncpg.AdminShutdownError: _told_already,
    asyncpg.CrashShutdownError: _told_already,
    TimeoutError: _told_already,
}


async def open_connection(
    settings: PostgresSettings, *, database: str | None = None, answer_seconds: float | None = None
) -> "asyncpg.Connection[asyncpg.Record]":
    """Open a connection of the driver, outside of any pool.

    Args:
        settings: The server and our account.
        database: Another database than that of the settings.
        answer_seconds: A statement that takes longer raises a TimeoutError.

    Raises:
        OSError: The server cannot be reached, or is silent.
        asyncpg.PostgresError: It refuses the connection.
    """
    return await asyncpg.connect(
        settings.database_url.get_secret_value(),
        database=database or settings.database_name,
        timeout=_CONNECT_SECONDS,
        command_timeout=answer_seconds,
        server_settings={**_SESSION, **_limits(settings), "application_name": settings.database_name},
    )


def _limits(settings: PostgresSettings) -> dict[str, str]:
    """Limits that the server enforces, because a process that is frozen or cut off cannot."""
    return {
        "statement_timeout": f"{settings.database_statement_timeout_seconds}s",
        "lock_timeout": f"{settings.database_lock_timeout_seconds}s",
        "idle_in_transaction_session_timeout": f"{settings.database_idle_in_transaction_timeout_seconds}s",
        "tcp_keepalives_idle": str(settings.database_tcp_keepalives_idle_seconds),
        "tcp_keepalives_interval": str(settings.database_tcp_keepalives_interval_seconds),
        "tcp_keepalives_count": str(settings.database_tcp_keepalives_count),
    }


def without_limits(settings: PostgresSettings) -> PostgresSettings:
    """Settings without limits, for statements and locks that may take long, as in a migration."""
    return settings.model_copy(
        update={"database_statement_timeout_seconds": 0, "database_lock_timeout_seconds": 0}  # 0 means no limit
    )


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The connections of an engine.

    Attributes:
        size: How many are kept.
        overflow: How many more are opened while all of these are busy.
        wait_seconds: Greatest wait for a free connection; after it the answer is 503.
    """

    size: int = 10
    overflow: int = 5
    wait_seconds: float = 5.0


USUAL_POOL: Final = Pool()
ONE_CONNECTION: Final = Pool(size=1, overflow=0)


def make_engine(
    settings: PostgresSettings, *, answer_seconds: float | None = None, pool: Pool = USUAL_POOL
) -> AsyncEngine:
    """Make an engine; it connects on first use, and reconnects after the server was away.

    Args:
        settings: The server and the database.
        answer_seconds: A server that is silent for longer counts as away; by default somewhat more than a statement
            may take.
        pool: How many connections it has.
    """
    statement_seconds = settings.database_statement_timeout_seconds
    if answer_seconds is None and statement_seconds:
        answer_seconds = statement_seconds + _MARGIN_SECONDS

    async def opened() -> "asyncpg.Connection[asyncpg.Record]":
        try:
            return await open_connection(settings, answer_seconds=answer_seconds)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise unavailable(error) from error

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=opened,
        pool_size=pool.size,
        max_overflow=pool.overflow,
        pool_timeout=pool.wait_seconds,
        pool_recycle=_RECYCLE_SECONDS,
        pool_use_lifo=True,
        hide_parameters=True,  # parameters are personal data, and errors are logged
        echo=settings.log_sql,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
    )
    event.listen(engine.sync_engine, "handle_error", _translate)
    event.listen(engine.sync_engine, "checkout", _require_open)
    return engine


def _require_open(connection: object, *_: object) -> None:
    """Replace a connection that a restart of the server has closed. The driver knows it, so the check costs nothing."""
    if connection.driver_connection.is_closed():  # type: ignore[attr-defined]  # SQLAlchemy's adapter of asyncpg's
        raise exc.InvalidatePoolError


def _translate(context: ExceptionContext) -> StoreUnavailableError | None:
    error = context.original_exception
    if not isinstance(error, Exception):  # a cancelled task says nothing about the server
        return None
    take_values_out(error, context.sqlalchemy_exception)
    if isinstance(error, TimeoutError):  # this connection cannot be used any more, others may
        context.is_disconnect, context.invalidate_pool_on_disconnect = True, False
    context.is_disconnect = context.is_disconnect or is_gone(error)
    stale = isinstance(error.__cause__, asyncpg.InvalidCachedStatementError)  # a migration has just changed the tables
    if refusal := refusal_of(error):
        return told(error, refusal)
    return unavailable(error) if context.is_disconnect or stale else None


def violated_constraint(error: exc.IntegrityError) -> str:
    """The name of the constraint or unique index that a statement broke; empty if the server does not name it."""
    cause = error.orig.__cause__ if error.orig else None
    return getattr(cause, "constraint_name", None) or ""
