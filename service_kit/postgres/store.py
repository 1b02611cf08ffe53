"""A service's database in PostgreSQL: its engine, its sessions and its migrations."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import structlog
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from service_kit.postgres.engine import (
    ONE_CONNECTION,
    POSTGRES_TRANSLATIONS,
    USUAL_POOL,
    Pool,
    make_engine,
    unavailable,
)
from service_kit.postgres.errors import TransactionUndoneError
from service_kit.postgres.migrations import Schema, upgrade
from service_kit.problems import ErrorTranslations, StoreUnavailableError
from service_kit.resources import Check
from service_kit.settings.stores import PostgresSettings
from service_kit.store import Store

log = structlog.get_logger()

Result = TypeVar("Result")

_NO_TABLE: Final = "42P01"
_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.05
"""Varied at random, so that two transactions that conflicted do not meet again."""
_REVISION: Final = text("SELECT version_num FROM alembic_version")


class PostgresStore(Store):
    """One database, migrated to the newest revision.

    Attributes:
        settings: The server and the database.
        engine: For uses without a session, such as the relay.
        sessions: Makes sessions; most code uses `transaction`.
    """

    def __init__(self, settings: PostgresSettings, schema: Schema, *, pool: Pool = USUAL_POOL) -> None:
        super().__init__("postgresql", settings.database_name)
        self.engine = make_engine(settings, pool=pool)
        self._probe = make_engine(settings, pool=ONE_CONNECTION)  # so that a busy pool does not look like a lost server
        for engine in (self.engine, self._probe):
            event.listen(engine.sync_engine, "handle_error", self._notice)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.settings = settings
        self._schema = schema

    @property
    def checks(self) -> Sequence[Check]:
        return [Check("postgres", self.ping)]

    @property
    def translations(self) -> ErrorTranslations:
        return POSTGRES_TRANSLATIONS

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session in a transaction: committed after the block, rolled back when it fails.

        Raises:
            StoreUnavailableError: The database is not prepared, or away (503).
        """
        self.require_prepared()
        async with self.sessions.begin() as session:
            yield session

    async def in_transaction(self, work: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        """Do some work in a transaction; repeat it a few times after a deadlock or serialisation failure.

        Args:
            work: Changes only the database, because it may be repeated.

        Raises:
            StoreUnavailableError: The database is not prepared, or away, or there are too many conflicts (503).
        """
        for tries in range(1, _TRIES):
            try:
                async with self.transaction() as session:
                    return await work(session)
            except TransactionUndoneError:
                await asyncio.sleep(_PAUSE_SECONDS * tries * random.uniform(0.5, 1.5))
        async with self.transaction() as session:
            return await work(session)

    def _notice(self, context: ExceptionContext) -> StoreUnavailableError | None:
        """Prepare the database again: a table is missing, so it was created anew."""
        if getattr(context.original_exception, "sqlstate", None) != _NO_TABLE:
            return None
        self.invalidate()
        return unavailable(context.original_exception)

    async def _prepare(self) -> None:
        await upgrade(self.settings, self._schema, lambda line: log.info("postgres_preparing", step=line))

    async def _ask(self) -> None:
        async with self._probe.connect() as connection:
            await connection.execute(_REVISION)

    async def _close(self) -> None:
        await self.engine.dispose()
        await self._probe.dispose()
