"""What `python -m <service>.resync` does: restores whichever copy of the rows was lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import SQLAlchemyError

from service_kit.clock import utc_now
from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.replication.healing import ClocksDifferError, CopyHeal
from service_kit.replication.replication import Replication
from service_kit.replication.replicator import Replicator
from service_kit.store import WrongDatabaseError


def main(replication: Replication[Any]) -> int:
    """Put all rows into the outbox, then the request for those of the other side; shows the progress.

    Args:
        replication: Its store is prepared here, and closed. Its clock replaces stamps that are too far ahead.

    Returns:
        Exit status: 0 if all is in the outbox, from which the running service publishes it; else 1.
    """
    return run_on(replication.store, lambda: _resync(replication))


def run_on(store: PostgresStore, work: Callable[[], Awaitable[str]]) -> int:
    """Prepare a store, do some work on it, and print its result; an error is one printed sentence, and status 1."""
    try:
        print(asyncio.run(_done(store, work)))
    except ClocksDifferError as error:
        print(error)
        return 1
    except WrongDatabaseError as error:
        print(f"Nothing is done: {error}.")
        return 1
    except (StoreUnavailableError, SQLAlchemyError, OSError) as error:
        print(f"PostgreSQL cannot be used; DATABASE_URL says where it is: {error.__cause__ or error}")
        return 1
    return 0


async def _done(store: PostgresStore, work: Callable[[], Awaitable[str]]) -> str:
    try:
        await store.prepare()
        return await work()
    finally:
        await store.engine.dispose()


async def _resync(replication: Replication[Any]) -> str:
    table, store, clock = replication.table, replication.store, replication.clock
    healed = await CopyHeal(table, store, clock).run(utc_now())
    sync = Replicator(table, store, clock)
    with Progress(TextColumn("Telling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("Telling", total=await sync.count())
        rows = await sync.resync(lambda rows: progress.update(task, completed=rows))
    told = f"{rows} rows are in the outbox. The running service publishes them, and the other side tells its own."
    return f"{healed} rows were stamped too far ahead, and are healed. {told}" if healed else told
