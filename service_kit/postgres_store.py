"""A service's database as the service holds it: usable once it is reachable and migrated.

The service starts without waiting for the server; until then every use is a 503, because a write without the
constraints of the newest revision could store what they forbid.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from service_kit.postgres import connect
from service_kit.postgres_migrations import Schema, upgrade
from service_kit.problems import StoreUnavailableError
from service_kit.settings import PostgresSettings

log = structlog.get_logger()

_PREPARE_AGAIN_SECONDS: Final = 1.0
_REASON_CHARACTERS: Final = 400


class PostgresStore:
    """The engine, the sessions, and the preparation of one database.

    Attributes:
        engine: For what needs no session, as the relay does.
        sessions: Makes sessions; `transaction` is what a rule is usually given.
    """

    def __init__(self, settings: PostgresSettings, schema: Schema) -> None:
        self.engine = connect(settings)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._settings = settings
        self._schema = schema
        self._prepared = False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Prepare in the background while the block runs; close the engine after it."""
        preparing = asyncio.create_task(self._prepare_until_done())
        try:
            yield
        finally:
            preparing.cancel()
            with suppress(asyncio.CancelledError):
                await preparing
            await self.engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session in a transaction: committed after the block, rolled back when it fails.

        Raises:
            StoreUnavailableError: The database is not prepared, or away (503).
        """
        self.require_prepared()
        async with self.sessions.begin() as session:
            yield session

    async def prepare(self) -> None:
        """Make the database if it is missing, and migrate it; harmless when it is as the code says."""
        await upgrade(self._settings, self._schema, lambda line: log.info("postgres_preparing", step=line))
        self._prepared = True

    async def _prepare_until_done(self) -> None:
        while not self._prepared:
            try:
                await self.prepare()
            except Exception as error:  # noqa: BLE001 - nobody awaits this task; whatever it meets must be told
                reason = f"{type(error).__name__}: {error}"[:_REASON_CHARACTERS]
                log.warning("postgres_not_prepared", error=reason, again_in_seconds=_PREPARE_AGAIN_SECONDS)
                await asyncio.sleep(_PREPARE_AGAIN_SECONDS)
        log.info("postgres_prepared", database=self._settings.database_name)

    def require_prepared(self) -> None:
        """Refuse to go on before the tables are as the code says.

        Raises:
            StoreUnavailableError: They are not yet (503).
        """
        if not self._prepared:
            raise StoreUnavailableError

    async def ping(self) -> None:
        """Ask the server, for `/health/ready`.

        Raises:
            StoreUnavailableError: It does not answer, or is not prepared.
        """
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        self.require_prepared()
