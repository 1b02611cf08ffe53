"""Migrations by Alembic, the same for every service: its revisions lie in `<package>/migrations/`.

`alembic/` beside this module has Alembic's own two files, so that a service needs none. Replicas that start together
wait for each other by an advisory lock.
"""

import argparse
import asyncio
import threading
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, filterwarnings

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from service_kit.background import text_of
from service_kit.postgres.engine import make_engine, open_connection, without_limits
from service_kit.postgres.ownership import note_own, require_own
from service_kit.problems import StoreUnavailableError
from service_kit.settings.stores import PostgresSettings
from service_kit.store import WrongDatabaseError

_HERE: Final = Path(__file__).parent / "alembic"
_LOCK: Final = 7_365_727_669
_LOCK_SECONDS: Final = 0.1
_IDLE: Final = text("SET idle_session_timeout TO '60s'")
"""Greatest time for which a process that was frozen while it held the lock blocks the others."""
_MAINTENANCE: Final = "postgres"

_ALEMBIC: Final = threading.Lock()
"""Alembic's `context` and `op` are global: a process migrates one database at a time."""

OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class Schema:
    """The tables of a service, and the revisions that lead to them.

    Attributes:
        metadata: Its tables.
        package: The service's package, with its revisions in `migrations/`.
    """

    metadata: MetaData
    package: str

    @property
    def revisions(self) -> Path:
        """The folder of the revisions."""
        return Path(import_module(self.package).__path__[0], "migrations")

    @property
    def script(self) -> ScriptDirectory:
        """The revisions, in their order."""
        return ScriptDirectory.from_config(self.config())

    def config(self, **attributes: Any) -> Config:  # noqa: ANN401 - as Alembic has it
        """Alembic's configuration, without a file."""
        config = Config(cmd_opts=Namespace(quiet=True), attributes=attributes)
        for name, value in (
            ("script_location", _HERE),
            ("version_locations", self.revisions),
            ("path_separator", "newline"),
            ("file_template", "%(rev)s_%(slug)s"),
        ):
            config.set_main_option(name, str(value).replace("%", "%%"))
        return config


def main(settings: PostgresSettings, schema: Schema, arguments: Sequence[str] | None = None) -> int:
    """Make the database if it is missing, and upgrade it; or write a new revision. One line for each step.

    Returns:
        Exit status: 0 if the database now is as the code says, else 1.
    """
    parser = argparse.ArgumentParser(f"python -m {schema.package}.init_db", description="Upgrades the database.")
    parser.add_argument("--new", metavar="TEXT", help="write a revision for what the code has beyond the database")
    text = parser.parse_args(arguments).new
    try:
        asyncio.run(revise(settings, schema, text, print) if text else upgrade(settings, schema, print))
    except (StoreUnavailableError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        print(f"PostgreSQL cannot be used; DATABASE_URL says where it is: {_reason(error)}")
        return 1
    except WrongDatabaseError as error:
        print(f"Nothing is done: {error}.")
        return 1
    except (SQLAlchemyError, CommandError) as error:
        print(f"The migration failed, and its revision is undone: {_reason(error)}")
        return 1
    return 0


def _reason(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, StoreUnavailableError) and error.__cause__ else error
    return text_of(cause)


async def upgrade(settings: PostgresSettings, schema: Schema, tell: OnProgress) -> None:
    """Upgrade the database to the newest revision; create it if it is missing.

    A database that is ahead of this code is left alone: in a rolling deployment old processes run beside new ones.

    Raises:
        StoreUnavailableError: The server is away (503).
        WrongDatabaseError: It is another service's.
    """
    await _make_database(settings, tell)
    async with _connected(settings) as connection:
        await connection.run_sync(require_own, schema.package, set(schema.metadata.tables))
        if await connection.run_sync(_is_behind, schema):
            await _lock(connection)
            await _run(connection, schema, tell, command.upgrade, "head")
        await connection.run_sync(note_own, schema.package)
    tell(f"The database {settings.database_name} is as the code says.")


async def downgrade(settings: PostgresSettings, schema: Schema, revision: str, tell: OnProgress) -> None:
    """Undo the revisions after `revision`; all of them with `base`."""
    async with _connected(settings) as connection:
        await _lock(connection)
        await _run(connection, schema, tell, command.downgrade, revision)


async def revise(settings: PostgresSettings, schema: Schema, text: str, tell: OnProgress) -> None:
    """Write a revision with the difference between the database, which must be up to date, and the metadata.

    Raises:
        CommandError: The database is behind the revisions.
    """
    number = f"{len(list(schema.script.walk_revisions())) + 1:04}"

    def write(config: Config, message: str) -> None:
        with catch_warnings():
            # Alembic cannot compare generated columns; `schema_drift` can.
            filterwarnings("ignore", message="Computed default", category=UserWarning)
            made: Any = command.revision(config, message, autogenerate=True, rev_id=number)
        tell(f"Wrote {made.path}: read it, then run this again without --new.")

    await _make_database(settings, tell)  # before its first revision there is none
    async with _connected(settings) as connection:
        await connection.run_sync(require_own, schema.package, set(schema.metadata.tables))
        await _run(connection, schema, tell, write, text)


@asynccontextmanager
async def _connected(settings: PostgresSettings) -> AsyncIterator[AsyncConnection]:
    """A connection without time limits; the lock ends with it."""
    engine = make_engine(without_limits(settings))
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def _make_database(settings: PostgresSettings, tell: OnProgress) -> None:
    try:
        await (await open_connection(settings)).close()
    except asyncpg.InvalidCatalogNameError:
        connection = await open_connection(settings, database=_MAINTENANCE)
        try:
            # The name is a plain identifier (settings); the pristine template takes UTF-8 in every cluster.
            await connection.execute(f"CREATE DATABASE {settings.database_name} ENCODING 'UTF8' TEMPLATE template0")
            tell(f"Made the database {settings.database_name}.")
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            pass  # another process has just created it
        finally:
            await connection.close()


async def _lock(connection: AsyncConnection) -> None:
    """Poll for the lock: a statement that waits would block an index that is created concurrently."""
    await connection.execute(_IDLE)
    await connection.commit()
    while not await connection.scalar(select(func.pg_try_advisory_lock(_LOCK))):
        await connection.rollback()
        await asyncio.sleep(_LOCK_SECONDS)
    await connection.rollback()


def _is_behind(connection: Connection, schema: Schema) -> bool:
    current = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    script = schema.script
    known = {revision.revision for revision in script.walk_revisions()}
    return current is None or (current in known and current != script.get_current_head())


async def _run(
    connection: AsyncConnection, schema: Schema, tell: OnProgress, act: Callable[[Config, str], None], argument: str
) -> None:
    def on_version_apply(*, step: Any, **_: object) -> None:  # noqa: ANN401 - Alembic's MigrationInfo
        for revision in step.up_revisions or (step.up_revision,):
            tell(f"{'Applied' if step.is_upgrade else 'Undid'} {revision.revision}: {revision.doc}")

    def with_alembic(connection: Connection) -> None:
        config = schema.config(connection=connection, metadata=schema.metadata, on_version_apply=on_version_apply)
        act(config, argument)

    while not _ALEMBIC.acquire(blocking=False):  # noqa: ASYNC110 - of a process, not of a loop
        await asyncio.sleep(_LOCK_SECONDS)
    try:
        await connection.run_sync(with_alembic)
    finally:
        _ALEMBIC.release()
