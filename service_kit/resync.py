"""What `python -m <service>.resync` does: restores whichever copy of the stamped rows was lost."""

import asyncio
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import SQLAlchemyError

from service_kit.copy_sync import CopySync
from service_kit.hybrid_clock import HybridClock
from service_kit.postgres_store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.stamped_copies import StampedCopy


def main(store: PostgresStore, copy: StampedCopy[Any], clock: HybridClock) -> int:
    """Put all rows into the outbox, then the question for those of the other side; shows how far it is.

    Args:
        store: Is prepared here, and closed.
        copy: Ours.
        clock: Of our node; it makes no stamp here.

    Returns:
        Exit status: 0 if all is in the outbox, from which the running service publishes it; else 1.
    """
    try:
        rows = asyncio.run(_resync(store, CopySync(copy, store, clock)))
    except (StoreUnavailableError, SQLAlchemyError, OSError) as error:
        print(f"PostgreSQL cannot be used; DATABASE_URL says where it is: {error.__cause__ or error}")
        return 1
    print(f"{rows} rows are in the outbox. The running service publishes them, and the other side tells its own.")
    return 0


async def _resync(store: PostgresStore, sync: CopySync[Any]) -> int:
    try:
        await store.prepare()
        with Progress(TextColumn("Telling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as progress:
            task = progress.add_task("Telling", total=await sync.count())
            return await sync.resync(lambda rows: progress.update(task, completed=rows))
    finally:
        await store.engine.dispose()
