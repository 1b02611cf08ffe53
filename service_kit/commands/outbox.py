"""Parked outbox entries: `python -m service_kit.commands.outbox --help`.

The broker has refused these events for about an hour. They are counted in the metric `outbox_parked` and told in the
log; once the reason is gone, release them here.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated

import typer

from service_kit.outbox.store import NoOutboxError, OutboxStore

app = typer.Typer(help="Outbox entries that the broker has refused too often.", no_args_is_help=True)

Database = Annotated[str, typer.Argument(help="The service's database: orders_service.")]
Collection = Annotated[
    str, typer.Argument(help="The MongoDB collection whose documents hold the outbox: orders. None for PostgreSQL.")
]


@app.command()
def count(database: Database, collection: Collection = "") -> None:
    """Say how many events wait, and how many are parked."""

    async def ask(outbox: OutboxStore) -> str:
        backlog = await outbox.backlog()
        return f"{backlog.waiting} waiting, {backlog.parked} parked"

    _with_outbox(database, collection, ask)


@app.command()
def release(database: Database, collection: Collection = "") -> None:
    """Let all parked events be tried again; the service's own relay publishes them within seconds."""

    async def let_go(outbox: OutboxStore) -> str:
        return f"{await outbox.release_parked()} released"

    _with_outbox(database, collection, let_go)


def _with_outbox(database: str, collection: str, ask: Callable[[OutboxStore], Awaitable[str]]) -> None:
    """Run on an open connection and print the answer; what goes wrong there is one sentence."""

    async def connected() -> None:
        async with _outbox_at(database, collection) as outbox:
            print(await ask(outbox))

    try:
        asyncio.run(connected())
    except NoOutboxError as error:
        sys.exit(str(error))


def _outbox_at(database: str, collection: str) -> AbstractAsyncContextManager[OutboxStore]:
    # Imported here, because an image holds the driver of its own database alone.
    if collection:
        from service_kit.mongo import outbox as mongo_outbox  # noqa: PLC0415 - see above

        return mongo_outbox.outbox_at(database, collection)
    from service_kit.postgres import outbox as postgres_outbox  # noqa: PLC0415 - see above

    return postgres_outbox.outbox_at(database)


if __name__ == "__main__":
    app()
